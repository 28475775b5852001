// Matrix identifiers (appendices, "Identifier Grammar"), parsed once and branded.
// Nothing outside this file takes an identifier apart.

import { MatrixError } from './error.ts';
import { isServerNameText } from './server-name.ts';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type ServerName = Brand<'ServerName'>;
export type UserId = Brand<'UserId'>;
/** `!opaque:server` (room versions 1 to 11) or `!reference-hash` (12). */
export type RoomId = Brand<'RoomId'>;
export type RoomAlias = Brand<'RoomAlias'>;
/** `$opaque:server` (room versions 1 and 2) or `$reference-hash`. */
export type EventId = Brand<'EventId'>;
export type DeviceId = Brand<'DeviceId'>;
/** Content of an `mxc://server/media` URI, taken apart by `parseMxcUri`. */
export type MediaId = Brand<'MediaId'>;

/** Longest identifier with its sigil and server name, in UTF-8 bytes. */
export const MAX_IDENTIFIER_BYTES = 255;

/** Legal text of at most 255 UTF-8 bytes without NUL and lone surrogates, as every identifier has to be. */
export function isIdentifierText(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > MAX_IDENTIFIER_BYTES) return false;
  // A UTF-16 unit takes at most three bytes.
  const short = text.length * 3 <= MAX_IDENTIFIER_BYTES;
  if (!short && Buffer.byteLength(text) > MAX_IDENTIFIER_BYTES) return false;
  return text.isWellFormed() && !text.includes('\0');
}

/** Localparts hold no colon, so the first one ends it. -1 when the sigil or the colon is missing. */
function colonOf(text: string, sigil: string): number {
  return text.startsWith(sigil) ? text.indexOf(':') : -1;
}

function isOnServer(text: unknown, sigil: string, shortestLocalpart: number): boolean {
  if (!isIdentifierText(text)) return false;
  const colon = colonOf(text, sigil);
  return colon > shortestLocalpart && isServerNameText(text.slice(colon + 1));
}

export function isServerName(text: unknown): text is ServerName {
  return isIdentifierText(text) && isServerNameText(text);
}

/** By the historical grammar, which servers must accept: any localpart without colon, even an empty one. */
export function isUserId(text: unknown): text is UserId {
  return isOnServer(text, '@', 0);
}

const DOMAINLESS_ROOM_ID = /^![A-Za-z0-9_-]{43}$/;

export function isRoomId(text: unknown): text is RoomId {
  return isOnServer(text, '!', 1) || isDomainlessRoomId(text);
}

/** The form of room version 12. */
export function isDomainlessRoomId(text: unknown): text is RoomId {
  return typeof text === 'string' && DOMAINLESS_ROOM_ID.test(text);
}

export function isRoomAlias(text: unknown): text is RoomAlias {
  return isOnServer(text, '#', 1);
}

/** Opaque to all but the room version: any text after the sigil. */
export function isEventId(text: unknown): text is EventId {
  return isIdentifierText(text) && text.startsWith('$') && text.length > 1;
}

export function isDeviceId(text: unknown): text is DeviceId {
  return isIdentifierText(text) && text !== '';
}

/** The parse functions throw M_INVALID_PARAM. */
export function parseServerName(text: unknown): ServerName {
  return isServerName(text) ? text : refuse('server name');
}

export function parseUserId(text: unknown): UserId {
  return isUserId(text) ? text : refuse('user ID');
}

export function parseRoomId(text: unknown): RoomId {
  return isRoomId(text) ? text : refuse('room ID');
}

export function parseRoomAlias(text: unknown): RoomAlias {
  return isRoomAlias(text) ? text : refuse('room alias');
}

export function parseEventId(text: unknown): EventId {
  return isEventId(text) ? text : refuse('event ID');
}

export function parseDeviceId(text: unknown): DeviceId {
  return isDeviceId(text) ? text : refuse('device ID');
}

function refuse(what: string): never {
  throw new MatrixError('M_INVALID_PARAM', `Not a valid ${what}`);
}

/** With the port, if any: `bad.com:8448` is another server than `bad.com`. */
export function serverNameOf(id: UserId | RoomAlias): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName;
}

/** The server whose namespace the room ID is in; room IDs of version 12 have none. */
export function serverNameOfRoomId(id: RoomId): ServerName | undefined {
  return serverNameAfterColon(id);
}

/** The server that made the event of room version 1 or 2; later event IDs have none. */
export function serverNameOfEventId(id: EventId): ServerName | undefined {
  return serverNameAfterColon(id);
}

function serverNameAfterColon(id: string): ServerName | undefined {
  const colon = id.indexOf(':');
  const name = colon === -1 ? undefined : id.slice(colon + 1);
  return isServerName(name) ? name : undefined;
}

/** Without sigil and server name. */
export function localpartOf(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(':'));
}

const NEW_LOCALPART = /^[a-z0-9._=\-/+]+$/;

/**
 * Checks the localpart of a user ID that is about to be made, by the strict grammar, and makes it.
 * Throws M_INVALID_USERNAME.
 */
export function checkNewLocalpart(localpart: unknown, serverName: ServerName): UserId {
  if (typeof localpart !== 'string' || !NEW_LOCALPART.test(localpart)) {
    const message = 'User names consist of the characters a-z, 0-9, ., _, =, -, / and +';
    throw new MatrixError('M_INVALID_USERNAME', message);
  }
  const userId = `@${localpart}:${serverName}`;
  if (userId.length > MAX_IDENTIFIER_BYTES) {
    throw new MatrixError('M_INVALID_USERNAME', 'User name is too long');
  }
  return userId as UserId;
}

/** Throws M_INVALID_PARAM. */
export function makeRoomAlias(localpart: string, serverName: ServerName): RoomAlias {
  if (localpart.includes(':')) return refuse('room alias');
  return parseRoomAlias(`#${localpart}:${serverName}`);
}

const MXC_URI = /^mxc:\/\/([^/]+)\/([A-Za-z0-9_-]{1,255})$/;

/** Takes an `mxc://server/media` URI apart; undefined when it is none. */
export function parseMxcUri(
  uri: unknown,
): { readonly serverName: ServerName; readonly mediaId: MediaId } | undefined {
  const match = typeof uri === 'string' ? MXC_URI.exec(uri) : null;
  const serverName = match?.[1];
  return match && isServerName(serverName)
    ? { serverName, mediaId: match[2] as MediaId }
    : undefined;
}
