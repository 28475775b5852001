// What another server says of a room, as far as it has the shape of PublishedRoomsChunk; anything else is left out.

import { isRoomAlias, isRoomId, parseMxcUri } from '../../protocol/identifiers.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { PublicRoom } from '../api.ts';

/** Undefined where the room's id or what has to be said of it is not there. */
export function readPublicRoom(json: JsonObject): PublicRoom | undefined {
  const { room_id: roomId, num_joined_members: joinedMembers } = json;
  const { world_readable: worldReadable, guest_can_join: guestCanJoin } = json;
  if (!isRoomId(roomId) || !isCount(joinedMembers)) return undefined;
  if (typeof worldReadable !== 'boolean' || typeof guestCanJoin !== 'boolean') return undefined;
  const { canonical_alias: alias, avatar_url: avatarUrl } = json;
  return {
    room_id: roomId,
    ...(isRoomAlias(alias) && { canonical_alias: alias }),
    ...textOf(json, 'name'),
    ...textOf(json, 'topic'),
    ...(isMxcUri(avatarUrl) && { avatar_url: avatarUrl }),
    ...textOf(json, 'room_type'),
    ...textOf(json, 'join_rule'),
    num_joined_members: joinedMembers,
    guest_can_join: guestCanJoin,
    world_readable: worldReadable,
  };
}

export function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textOf<Name extends string>(json: JsonObject, name: Name): { [_ in Name]?: string } {
  const value = json[name];
  return (typeof value === 'string' ? { [name]: value } : {}) as { [_ in Name]?: string };
}

function isMxcUri(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && parseMxcUri(value) !== undefined;
}
