// Rejects an invite, or takes back a knock, in a room in which this server is not. Nobody has to stay invited because other
// servers do not answer: then the membership ends here alone.

import { MatrixError } from '../../protocol/error.ts';
import { buildPdu } from '../../protocol/events/build.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import type { RemoteMembershipRequest } from '../membership/remote-rooms.ts';
import { selectInvite } from '../store/invites.ts';
import { selectMembership } from '../store/memberships.ts';
import { candidateServers } from './candidates.ts';
import { memberEventFrom } from './member-event.ts';
import { retireInvite } from './out-of-band.ts';
import { throughServers } from './through-servers.ts';

/** A user waits for it, and it ends the same whatever comes of it. */
const MAX_WAIT_MS = 10_000;

/** Errors: M_FORBIDDEN for who is not in the room in any way. */
export async function leaveRoom(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Written> {
  const { roomId, userId } = request;
  const member = await selectMembership(context.database, roomId, userId);
  if (member === undefined) throw new MatrixError('M_FORBIDDEN', 'You are not in the room');
  if (member.membership !== 'invite' && member.membership !== 'knock') return { position: 0 };
  const left = await withinTime(context, leaveThere(context, federationsender, request));
  const event = left ?? (await leaveHere(context, request));
  return retireInvite(context, { roomId, userId }, { membership: 'leave', event });
}

/** An event for the user's own devices alone: it has no place in the room. */
async function leaveHere(
  { database, rooms, clock, serverName, signingKey }: RoomserverContext,
  { roomId, userId, content }: RemoteMembershipRequest,
): Promise<Pdu> {
  const known = (await selectInvite(database, roomId, userId)) ?? (await rooms.head(roomId));
  if (known === undefined) throw new MatrixError('M_FORBIDDEN', 'You are not in the room');
  return buildPdu({
    rules: rulesOf(known.roomVersion),
    roomId,
    sender: userId,
    type: 'm.room.member',
    stateKey: userId,
    content: { ...content, membership: 'leave' },
    prevEvents: [],
    authEvents: [],
    depth: 1,
    originServerTs: clock.now(),
    serverName,
    signingKey,
  });
}

/** The event by which the user has left, if it has reached the room. Never throws. */
async function leaveThere(
  context: RoomserverContext,
  federationsender: HandshakeSender,
  request: RemoteMembershipRequest,
): Promise<Pdu | undefined> {
  const { roomId, userId } = request;
  try {
    const servers = await candidateServers(context, request);
    const plan = { handshake: 'leave', roomId, userId, servers } as const;
    return await throughServers({ ...context, federationsender }, plan, async (made) => {
      const event = memberEventFrom(context, made, { ...request, membership: 'leave' });
      const { server, roomVersion } = made;
      await federationsender.performSendLeave({ server, roomId, roomVersion, event });
      return event;
    });
  } catch (error) {
    context.logger.warn({ roomId, userId, err: error }, 'a rejected invite could not be told');
    return undefined;
  }
}

function withinTime<T>(
  { clock }: Pick<RoomserverContext, 'clock'>,
  work: Promise<T>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(MAX_WAIT_MS, () => resolve(undefined));
    work.then(resolve, reject).finally(cancel);
  });
}
