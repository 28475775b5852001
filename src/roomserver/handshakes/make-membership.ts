// performMakeMembership: make_join, make_leave, make_knock. The event that the other server's user may send, unsigned.

import { MatrixError } from '../../protocol/error.ts';
import { serverNameOf } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import type { RoomserverContext } from '../context.ts';
import { isJoined } from '../membership/is-joined.ts';
import { authorisingUser } from '../membership/restricted-join.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { servedRoom } from '../rooms/served-room.ts';
import { buildEvent } from '../send/append-local-event.ts';
import type { ServingApi } from '../serving-api.ts';

type MakeRequest = Parameters<ServingApi['performMakeMembership']>[0];

export async function makeMembership(
  context: RoomserverContext,
  request: MakeRequest,
): Promise<{ roomVersion: RoomVersionId; event: JsonObject }> {
  const { origin, roomId, userId, membership } = request;
  if (serverNameOf(userId) !== origin) {
    throw new MatrixError('M_FORBIDDEN', 'The user is none of your server');
  }
  const { roomVersion } = await servedRoom(context, request);
  // Who leaves is not asked what she understands.
  if (membership !== 'leave' && !request.roomVersions.includes(roomVersion)) {
    const reason = 'Your server does not know the version of this room';
    throw new MatrixError('M_INCOMPATIBLE_ROOM_VERSION', reason, { room_version: roomVersion });
  }
  const { value: event } = await context.rooms.change(roomId, (room) =>
    makeTemplate(context, room, request),
  );
  return { roomVersion, event };
}

async function makeTemplate(
  context: RoomserverContext,
  room: RoomDraft,
  { userId, membership }: MakeRequest,
): Promise<JsonObject> {
  if (membership === 'knock' && !room.rules.knocking) {
    throw new MatrixError('M_FORBIDDEN', 'This room does not know knocking');
  }
  const via = membership === 'join' ? await authorisedVia(context, room, userId) : undefined;
  const { pdu } = await buildEvent(context, room, {
    type: 'm.room.member',
    sender: userId,
    stateKey: userId,
    content: { membership, ...(via !== undefined && { join_authorised_via_users_server: via }) },
  });
  const { event_id, hashes, signatures, ...template } = pdu.json;
  return { ...template, origin: context.serverName };
}

/** Who is in the room or invited needs nobody. */
async function authorisedVia(
  context: RoomserverContext,
  room: RoomDraft,
  userId: MakeRequest['userId'],
): Promise<string | undefined> {
  const member = await room.currentEvent('m.room.member', userId);
  if (member?.pdu.membership === 'invite' || (await isJoined(room, userId))) return undefined;
  return authorisingUser(context, room, userId);
}
