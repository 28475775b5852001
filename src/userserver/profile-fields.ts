// The fields of a profile and their limits (Client-Server API, "Profiles").

import { MatrixError } from '../protocol/error.ts';
import { parseMxcUri, type UserId } from '../protocol/identifiers.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { ProfileRow } from './store/profiles.ts';

const MAX_KEY_BYTES = 255;
const MAX_PROFILE_BYTES = 65_536;
const MAX_DISPLAYNAME_LENGTH = 256;
const MAX_AVATAR_URL_LENGTH = 1000;

const KNOWN_FIELDS = new Set(['displayname', 'avatar_url', 'm.tz']);
/** The Common Namespaced Identifier Grammar, with a namespace. */
const CUSTOM_FIELD = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/;

/** Throws M_KEY_TOO_LARGE or M_INVALID_PARAM. */
export function checkProfileField(field: string): void {
  if (Buffer.byteLength(field) > MAX_KEY_BYTES) {
    throw new MatrixError('M_KEY_TOO_LARGE', `Fields have names of at most ${MAX_KEY_BYTES} bytes`);
  }
  if (!KNOWN_FIELDS.has(field) && !CUSTOM_FIELD.test(field)) {
    throw new MatrixError('M_INVALID_PARAM', 'Not a name for a profile field');
  }
}

/** Of a field whose name has been checked. Throws M_INVALID_PARAM. */
export function checkProfileValue(field: string, value: JsonValue): void {
  if (!KNOWN_FIELDS.has(field)) return;
  if (typeof value !== 'string') throw invalid(`${field} has to be a string`);
  if (field === 'displayname' && value.length > MAX_DISPLAYNAME_LENGTH) {
    throw invalid(`Display names have at most ${MAX_DISPLAYNAME_LENGTH} characters`);
  }
  if (field === 'avatar_url' && !isAvatarUrl(value)) throw invalid('avatar_url is no mxc:// URI');
}

function isAvatarUrl(value: string): boolean {
  return (
    value === '' || (value.length <= MAX_AVATAR_URL_LENGTH && parseMxcUri(value) !== undefined)
  );
}

function invalid(message: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', message);
}

/**
 * The profile with the field set, or removed when `value` is undefined. An empty display name or avatar URL is how
 * clients take theirs back. Throws M_PROFILE_TOO_LARGE.
 */
export function withField(
  profile: JsonObject,
  field: string,
  value: JsonValue | undefined,
): JsonObject {
  const { [field]: _, ...others } = profile;
  const isRemoved = value === undefined || (value === '' && KNOWN_FIELDS.has(field));
  if (isRemoved) return others;
  const changed = { ...others, [field]: value };
  if (Buffer.byteLength(JSON.stringify(changed)) > MAX_PROFILE_BYTES) {
    throw new MatrixError('M_PROFILE_TOO_LARGE', 'Profiles have at most 64 KiB');
  }
  return changed;
}

export function profileRow(userId: UserId, profile: JsonObject): ProfileRow {
  const displayname = textOf(profile.displayname);
  return {
    user_id: userId,
    displayname,
    avatar_url: textOf(profile.avatar_url),
    fields: JSON.stringify(profile),
    search_key: foldForSearch(`${userId} ${displayname ?? ''}`),
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** Case and compatibility forms make no difference to who is found. */
export function foldForSearch(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
