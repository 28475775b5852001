// performKnock: a local user asks to be let in.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { locateRoom } from '../resolve-room.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { isHere } from './is-here.ts';

type KnockRequest = Parameters<RoomserverApi['performKnock']>[0];

export async function knock(
  context: RoomserverContext,
  request: KnockRequest,
): Promise<Written & { roomId: RoomId }> {
  const { roomId, servers } = await locateRoom(context, request.roomIdOrAlias);
  if (!isHere(await context.rooms.head(roomId))) {
    const serverNames = [...request.serverNames, ...servers];
    return { roomId, ...(await context.remoteRooms.knock({ ...request, roomId, serverNames })) };
  }
  const { userId, content } = request;
  const { position } = await context.rooms.change(roomId, (room) => {
    if (!room.rules.knocking) {
      throw new MatrixError('M_FORBIDDEN', 'This room does not know knocking');
    }
    return appendLocalEvent(context, room, {
      type: 'm.room.member',
      sender: userId,
      stateKey: userId,
      content: { ...content, membership: 'knock' },
    });
  });
  return { roomId, position };
}
