// Events that come late, of before what is known of a room: where a snapshot and the events that follow it overlap. History
// is brought in first as far back as they are old, so that they are found to be history if that is what they are.

import type { RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import type { RoomHead } from '../rooms/room-head.ts';

/** Requests for history, of up to so many events each. */
const MAX_ROUNDS = 5;
const EVENTS = 100;

export async function bringHistory(
  context: RoomserverContext,
  head: RoomHead,
  events: readonly CheckedEvent[],
): Promise<void> {
  const late = await lateAmong(context, head, events);
  if (late.length === 0) return;
  const { roomId } = head;
  const minDepth = Math.min(...late.map(({ pdu }) => pdu.depth));
  const range = { roomId, minDepth, maxDepth: Number.MAX_SAFE_INTEGER };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const brought = await context.backfills?.backfill({ ...range, limit: EVENTS });
    if (brought === undefined || brought.position === 0) return;
  }
}

/** Not deeper than what is known, and after what is neither here nor comes with them. */
async function lateAmong(
  { events: stored }: RoomserverContext,
  { extremities }: RoomHead,
  events: readonly CheckedEvent[],
): Promise<CheckedEvent[]> {
  const deepest = Math.max(...extremities.map(({ depth }) => depth));
  const old = events.filter(({ pdu }) => pdu.depth <= deepest);
  if (old.length === 0) return [];
  const known = await stored.load(old.flatMap(({ pdu }) => [pdu.eventId, ...pdu.prevEvents]));
  const isHere = (id: CheckedEvent['pdu']['eventId']) => known.get(id)?.stateBefore !== undefined;
  return old.filter(({ pdu }) => !isHere(pdu.eventId) && pdu.prevEvents.some((id) => !isHere(id)));
}
