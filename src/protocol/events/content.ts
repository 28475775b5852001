// Forgiving readers of event content: what is absent or of the wrong type counts as not there, since other
// servers may send anything. Power levels are read in auth/power-levels.ts.

import {
  type EventId,
  isEventId,
  isRoomAlias,
  isRoomId,
  type RoomAlias,
  type RoomId,
} from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { isStorableText } from '../json-checks.ts';
import type { HistoryVisibility } from '../visibility.ts';

/** Content may be `undefined` throughout: the room has no such event. */
type Content = JsonObject | undefined;

/** A string that can be stored; anything else is undefined. */
export function readText(content: Content, key: string): string | undefined {
  const value = content?.[key];
  return typeof value === 'string' && isStorableText(value) ? value : undefined;
}

/** As readText, with the empty string counting as absent. */
function readName(content: Content, key: string): string | undefined {
  return readText(content, key) || undefined;
}

function readArray(content: Content, key: string): readonly JsonValue[] {
  const value = content?.[key];
  return Array.isArray(value) ? value : [];
}

function readObject(content: Content, key: string): JsonObject | undefined {
  const value = content?.[key];
  return isJsonObject(value) ? value : undefined;
}

/** m.room.member: `displayname` and `avatar_url`. */
export function readProfile(content: Content): {
  readonly displayname: string | undefined;
  readonly avatarUrl: string | undefined;
} {
  return {
    displayname: readText(content, 'displayname'),
    avatarUrl: readText(content, 'avatar_url'),
  };
}

/** m.room.join_rules: `invite` unless it says otherwise, as the authorization rules have it. */
export function readJoinRule(content: Content): string {
  return readText(content, 'join_rule') ?? 'invite';
}

/** m.room.join_rules: the rooms whose members may join by a restricted rule. */
export function readAllowedRooms(content: Content): readonly RoomId[] {
  return readArray(content, 'allow')
    .filter(isJsonObject)
    .filter((condition) => condition.type === 'm.room_membership')
    .map((condition) => condition.room_id)
    .filter(isRoomId);
}

const VISIBILITIES: ReadonlySet<unknown> = new Set<HistoryVisibility>([
  'invited',
  'joined',
  'shared',
  'world_readable',
]);

/** m.room.history_visibility: `shared` when absent or not understood. */
export function readHistoryVisibility(content: Content): HistoryVisibility {
  const value = content?.history_visibility;
  return VISIBILITIES.has(value) ? (value as HistoryVisibility) : 'shared';
}

/** m.room.guest_access: forbidden when absent or not understood. */
export function readGuestsCanJoin(content: Content): boolean {
  return content?.guest_access === 'can_join';
}

/** m.room.canonical_alias. */
export function readCanonicalAlias(content: Content): {
  readonly alias: RoomAlias | undefined;
  readonly altAliases: readonly RoomAlias[];
} {
  const alias = content?.alias;
  return {
    alias: isRoomAlias(alias) ? alias : undefined,
    altAliases: readArray(content, 'alt_aliases').filter(isRoomAlias),
  };
}

/** m.room.name; a room with an empty name has none. */
export function readRoomName(content: Content): string | undefined {
  return readName(content, 'name');
}

export function readTopic(content: Content): string | undefined {
  return readName(content, 'topic');
}

/** m.room.avatar. */
export function readAvatarUrl(content: Content): string | undefined {
  return readName(content, 'url');
}

/** m.room.create. */
export function readCreate(content: Content): {
  /** `1` when absent; undefined when it is no string. */
  readonly roomVersion: string | undefined;
  readonly roomType: string | undefined;
  /** Whether users of other servers may take part. */
  readonly federate: boolean;
  readonly predecessor: RoomId | undefined;
} {
  const predecessor = readObject(content, 'predecessor')?.room_id;
  return {
    roomVersion: content?.room_version === undefined ? '1' : readText(content, 'room_version'),
    roomType: readName(content, 'type'),
    federate: content?.['m.federate'] !== false,
    predecessor: isRoomId(predecessor) ? predecessor : undefined,
  };
}

/** `m.relates_to` with a `rel_type` (Client-Server API, "Forming relationships between events"). */
export interface Relation {
  readonly relType: string;
  readonly eventId: EventId;
  /** Of m.annotation. */
  readonly key: string | undefined;
}

export function readRelation(content: Content): Relation | undefined {
  const relatesTo = readObject(content, 'm.relates_to');
  const relType = readName(relatesTo, 'rel_type');
  const eventId = relatesTo?.event_id;
  if (relType === undefined || !isEventId(eventId)) return undefined;
  return { relType, eventId, key: readText(relatesTo, 'key') };
}
