// performJoin: a local user joins a room by its id or alias.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { resolveRoom } from '../resolve-room.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { checkGuestsCanJoin } from './guests.ts';
import { isHere } from './is-here.ts';
import { authorisingUser } from './restricted-join.ts';

type JoinRequest = Parameters<RoomserverApi['performJoin']>[0];

export async function join(
  context: RoomserverContext,
  request: JoinRequest,
): Promise<Written & { roomId: RoomId }> {
  const roomId = await resolveRoom(context, request.roomIdOrAlias);
  if (!isHere(await context.rooms.head(roomId))) {
    return { roomId, ...(await context.remoteRooms.join({ ...request, roomId })) };
  }
  const { position } = await context.rooms.change(roomId, (room) =>
    joinHere(context, room, request),
  );
  return { roomId, position };
}

async function joinHere(
  context: RoomserverContext,
  room: RoomDraft,
  { userId, isGuest = false, content }: JoinRequest,
): Promise<void> {
  const member = await room.currentEvent('m.room.member', userId);
  const membership = member?.pdu.membership;
  if (membership === 'join') return;
  if (membership === 'ban') {
    throw new MatrixError('M_FORBIDDEN', 'You are banned from this room');
  }
  if (isGuest) await checkGuestsCanJoin(room);
  const authorisedVia =
    membership === 'invite' ? undefined : await authorisingUser(context, room, userId);
  const { join_authorised_via_users_server: _, ...wished } = content;
  await appendLocalEvent(context, room, {
    type: 'm.room.member',
    sender: userId,
    stateKey: userId,
    content: {
      ...wished,
      membership: 'join',
      ...(authorisedVia !== undefined && { join_authorised_via_users_server: authorisedVia }),
    },
  });
  // Those who have been here before may have been guests then.
  if (isGuest || member !== undefined) room.changes.guests.set(userId, isGuest);
}
