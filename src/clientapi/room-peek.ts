// Looking into a room without joining it: how clients ask for it, and the short peeks behind the legacy
// pair of initialSync and events.

import { isRoomId, parseRoomAlias, type RoomId } from '../protocol/identifiers.ts';
import { isPeekable } from '../protocol/visibility.ts';
import type { Viewer } from '../syncserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { roomsVisible } from './visible.ts';

type Peeking = Pick<ClientapiContext, 'roomserver' | 'syncserver'>;

export async function resolveRoom(
  { roomserver }: Pick<Peeking, 'roomserver'>,
  roomIdOrAlias: string,
): Promise<RoomId> {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias;
  return (await roomserver.queryAlias({ alias: parseRoomAlias(roomIdOrAlias) })).roomId;
}

/**
 * Lets a viewer who has not joined the room look into it until the poll after this one. Who has left it goes
 * on seeing what she saw then, unless the room is open to everybody. Errors: those of performPeek.
 */
export async function lookBriefly(context: Peeking, viewer: Viewer, roomId: RoomId): Promise<void> {
  const { roomserver, syncserver } = context;
  const access = await syncserver.queryAccess({ viewer, roomId });
  if (access === 'joined') return;
  if (access === 'left') {
    const room = await roomserver.queryRoom({ roomId });
    if (room === undefined || !isPeekable(room)) return;
  }
  const { userId, deviceId } = viewer;
  await syncserver.checkPeekLimits({ userId, deviceId, roomId, via: 'events' });
  const peek = await roomserver.performPeek({
    roomIdOrAlias: roomId,
    userId,
    deviceId,
    serverNames: [],
    via: 'events',
  });
  await roomsVisible(context, peek);
}
