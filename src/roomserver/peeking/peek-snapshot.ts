// What another server is told of a room when it begins to look: made of immutable states, without any lock.

import { setImmediate } from 'node:timers/promises';
import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { PeekSnapshot } from '../inbound-peek-api.ts';
import type { RoomHead } from '../rooms/room-head.ts';

type Context = Pick<RoomserverContext, 'events' | 'states'>;

/** Events read in one turn of the event loop. */
const CHUNK = 500;

export async function peekSnapshot(context: Context, head: RoomHead): Promise<PeekSnapshot> {
  const { roomId, roomVersion, extremities, currentState } = head;
  const states = context.states.ofRoom(roomId);
  const idsOf = async (snapshot: string) =>
    new Set((await states.entries(snapshot, 'all')).map(({ eventId }) => eventId));
  const after = new Map<EventId, Set<EventId>>();
  for (const { eventId, stateAfter } of extremities) after.set(eventId, await idsOf(stateAfter));
  const common = [...after.values()].reduce((one, other) => one.intersection(other));
  const current = extremities.length === 1 ? common : await idsOf(currentState);
  const wanted = new Set([...after.keys(), ...current]);
  for (const ids of after.values()) for (const id of ids) wanted.add(id);
  return {
    roomVersion,
    latestEventStateIds: Object.fromEntries(
      [...after].map(([eventId, ids]) => [eventId, [...ids.difference(common)]]),
    ),
    commonStateIds: [...common],
    events: await withAuthChains(context, wanted),
    currentStateIds: [...current],
  };
}

async function withAuthChains(
  { events }: Context,
  start: ReadonlySet<EventId>,
): Promise<PduRecord[]> {
  const found = new Map<EventId, EventRecord>();
  let wanted = [...start];
  while (wanted.length > 0) {
    for (let from = 0; from < wanted.length; from += CHUNK) {
      const loaded = await events.load(wanted.slice(from, from + CHUNK));
      for (const [id, record] of loaded) found.set(id, record);
      if (wanted.length > CHUNK) await setImmediate();
    }
    const cited = new Set(wanted.flatMap((id) => found.get(id)?.pdu.authEvents ?? []));
    wanted = [...cited].filter((id) => !found.has(id) && !start.has(id));
  }
  return [...found.values()].map(({ pdu }) => pdu);
}
