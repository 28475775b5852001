// Before the lock: whether events that have arrived are such as the room's policy server may have to be asked about. By what is
// committed; it is under the lock that it is decided.

import { setImmediate } from 'node:timers/promises';
import { isPolicyEvent, readPolicyServer } from '../../protocol/policy-server.ts';
import type { RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { selectIsJoinedHost } from '../store/memberships.ts';
import { isSigned } from './is-signed.ts';

type Context = Pick<RoomserverContext, 'database' | 'states' | 'events'>;

/** Each signature is verified: others get their turn of the event loop in between. */
const EVENTS_PER_TURN = 10;

export async function lackSignature(
  { database, states, events: stored }: Context,
  { roomId, currentState }: RoomHead,
  events: readonly CheckedEvent[],
): Promise<boolean> {
  const id = await states.ofRoom(roomId).get(currentState, 'm.room.policy', '');
  const named = id && (await stored.get(id));
  const policyServer = named && readPolicyServer(named.pdu.content);
  if (policyServer === undefined) return false;
  for (const [index, { pdu }] of events.entries()) {
    if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await setImmediate();
    if (isPolicyEvent(pdu) || isSigned(pdu, policyServer)) continue;
    return selectIsJoinedHost(database, roomId, policyServer.name);
  }
  return false;
}
