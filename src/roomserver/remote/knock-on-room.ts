// A local user knocks on a room in which this server is not: make_knock, send_knock.

import { pruneStrippedEvent } from '../../protocol/events/stripped-state.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import type { RemoteMembershipRequest } from '../membership/remote-rooms.ts';
import { BadAnswer } from './bad-answer.ts';
import { candidateServers } from './candidates.ts';
import { memberEventFrom } from './member-event.ts';
import { storeInvite } from './out-of-band.ts';
import { throughServers } from './through-servers.ts';

/** Errors: those of `performMakeHandshake`. */
export async function knockOnRoom(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Written> {
  const { roomId, userId } = request;
  const servers = await candidateServers(context, request);
  const plan = { handshake: 'knock', roomId, userId, servers } as const;
  return throughServers({ ...context, federationsender }, plan, async (made) => {
    const event = memberEventFrom(context, made, { ...request, membership: 'knock' });
    const { server, roomVersion } = made;
    if (!rulesOf(roomVersion).knocking) throw new BadAnswer('the room does not know knocking');
    const answer = await federationsender.performSendKnock({ server, roomId, roomVersion, event });
    const strippedState = answer.strippedState.flatMap((json) => pruneStrippedEvent(json) ?? []);
    const knock = { roomId, userId, membership: 'knock', roomVersion, server } as const;
    return storeInvite(context, { ...knock, event, strippedState });
  });
}
