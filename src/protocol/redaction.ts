// The redaction algorithm (room versions, "Redactions"): what remains of an event whose content is taken away.

import type { PduJson } from './events/pdu.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import type { RoomVersionId, RoomVersionRules } from './roomversions/room-version.ts';
import { ROOM_VERSIONS, rulesOf } from './roomversions/table.ts';

interface KeptKeys {
  readonly topLevel: readonly string[];
  /** Keys of `content` by event type; types that are not listed keep none. */
  readonly content: ReadonlyMap<string, readonly string[]>;
}

const TOP_LEVEL: readonly string[] = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
];

const POWER_LEVELS: readonly string[] = [
  'ban',
  'events',
  'events_default',
  'kick',
  'redact',
  'state_default',
  'users',
  'users_default',
];

function keptKeysOf(rules: RoomVersionRules): KeptKeys {
  const { updatedRedaction } = rules;
  const content = new Map<string, readonly string[]>([
    ['m.room.join_rules', ['join_rule', ...(rules.redactionKeepsAllow ? ['allow'] : [])]],
    ['m.room.power_levels', [...POWER_LEVELS, ...(updatedRedaction ? ['invite'] : [])]],
    ['m.room.history_visibility', ['history_visibility']],
    [
      'm.room.member',
      [
        'membership',
        ...(rules.redactionKeepsAuthorisedVia ? ['join_authorised_via_users_server'] : []),
      ],
    ],
  ]);
  if (!updatedRedaction) content.set('m.room.create', ['creator']);
  if (updatedRedaction) content.set('m.room.redaction', ['redacts']);
  if (rules.specialAliasesEvents) content.set('m.room.aliases', ['aliases']);
  const topLevel = updatedRedaction
    ? TOP_LEVEL
    : [...TOP_LEVEL, 'prev_state', 'origin', 'membership'];
  return { topLevel, content };
}

const KEPT: ReadonlyMap<RoomVersionId, KeptKeys> = new Map(
  ROOM_VERSIONS.map((id) => [id, keptKeysOf(rulesOf(id))]),
);

function keptKeys(rules: RoomVersionRules): KeptKeys {
  return KEPT.get(rules.id) ?? keptKeysOf(rules);
}

/** A redacted copy. `unsigned` goes, too. */
export function redactPdu(json: PduJson, rules: RoomVersionRules): PduJson {
  const redacted = pick(json, keptKeys(rules).topLevel);
  redacted.content = redactContent(json, rules);
  return redacted as unknown as PduJson;
}

/** What redaction leaves of the content of an event. */
export function redactContent(
  { type, content }: Pick<PduJson, 'type' | 'content'>,
  rules: RoomVersionRules,
): JsonObject {
  if (type === 'm.room.create' && rules.updatedRedaction) return content;
  const kept = keptKeys(rules).content.get(type);
  if (kept === undefined) return {};
  const redacted = pick(content, kept);
  const invite = content.third_party_invite;
  if (type === 'm.room.member' && rules.updatedRedaction && isJsonObject(invite)) {
    redacted.third_party_invite = pick(invite, ['signed']);
  }
  return redacted;
}

function pick(from: JsonObject, keys: readonly string[]): Record<string, JsonValue> {
  const picked: Record<string, JsonValue> = {};
  for (const key of keys) {
    const value = Object.hasOwn(from, key) ? from[key] : undefined;
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}
