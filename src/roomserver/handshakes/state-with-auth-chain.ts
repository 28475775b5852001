// The state before an event, and the auth chain of all of it and of the event.

import type { PduJson } from '../../protocol/events/pdu.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { authChainOf } from '../serving/auth-chain.ts';
import { loadInChunks } from '../serving/load-in-chunks.ts';
import { EMPTY_STATE } from '../state/snapshot.ts';

export async function stateWithAuthChain(
  { events, states }: Pick<RoomserverContext, 'events' | 'states'>,
  { roomId, createEventId }: RoomHead,
  { pdu, stateBefore = EMPTY_STATE }: EventRecord,
): Promise<{ state: PduJson[]; authChain: PduJson[] }> {
  const entries = await states.ofRoom(roomId).entries(stateBefore, 'all');
  const ids = entries.map(({ eventId }) => eventId);
  const state = await loadInChunks(events, ids);
  const start = new Set([...pdu.authEvents, ...state.flatMap((record) => record.pdu.authEvents)]);
  // In room version 12 nobody names it.
  if (createEventId !== undefined) start.add(createEventId);
  const authChain = await authChainOf({ events }, start);
  return { state: state.map(jsonOf), authChain: authChain.map(jsonOf) };
}

function jsonOf({ pdu }: EventRecord): PduJson {
  return pdu.json;
}
