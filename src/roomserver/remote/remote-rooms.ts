// What this server does in rooms in which others have to help it, one thing at a time per room.

import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { isHere } from '../membership/is-here.ts';
import { joinHere } from '../membership/join.ts';
import type { RemoteRooms } from '../membership/remote-rooms.ts';
import { inviteUser } from './invite-user.ts';
import { joinRoom } from './join-room.ts';
import { joinWatched } from './join-watched.ts';
import { knockOnRoom } from './knock-on-room.ts';
import { leaveRoom } from './leave-room.ts';

/** `contextOf`: the context, of which this is a part itself. */
export function createRemoteRooms(
  contextOf: () => RoomserverContext,
  federationsender: HandshakeSender,
): RemoteRooms {
  const inTurn = <T>(roomId: string, work: (context: RoomserverContext) => Promise<T>) => {
    const context = contextOf();
    return context.turns.run(roomId, () => work(context));
  };
  return {
    join: (request) =>
      inTurn(request.roomId, async (context) => {
        // Somebody else may have brought the room here while this waited.
        const isThere = isHere(await context.rooms.head(request.roomId));
        if (isThere && !request.isRefusedHere) return joinHere(context, request);
        const joined = isThere ? undefined : await joinWatched(context, federationsender, request);
        return joined ?? joinRoom(context, federationsender, request);
      }),
    knock: (request) =>
      inTurn(request.roomId, (context) => knockOnRoom(context, federationsender, request)),
    leave: (request) =>
      inTurn(request.roomId, (context) => leaveRoom(context, federationsender, request)),
    invite: (request) => inviteUser(contextOf(), federationsender, request),
    resolveAlias: (alias) => federationsender.queryRemoteAlias({ alias }),
  };
}
