// Events of a room into which we look that come late, of before what is known of it: where a snapshot and the events that
// follow it overlap. History is brought in first as far back as they are old, so that they are found to be history if that
// is what they are.

import type { EventId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { isReadable } from '../membership/is-here.ts';
import type { RoomHead } from '../rooms/room-head.ts';

/** Requests for history, of up to so many events each. */
const MAX_ROUNDS = 5;
const EVENTS = 100;

/** Returns those of which it cannot be told now. */
export async function bringHistory(
  context: RoomserverContext,
  head: RoomHead,
  events: readonly CheckedEvent[],
): Promise<CheckedEvent[]> {
  const { roomId, localMembers } = head;
  const late = localMembers > 0 ? [] : await lateAmong(context, head, events);
  if (late.length === 0) return [];
  // Nobody is asked then; the next look brings what came before it.
  if (!isReadable(context, head)) return withoutPast(context, late);
  const minDepth = Math.min(...late.map(({ pdu }) => pdu.depth)) + 1;
  const range = { roomId, minDepth, maxDepth: Number.MAX_SAFE_INTEGER };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const brought = await context.backfills?.backfill({ ...range, limit: EVENTS });
    if (brought?.gapAt === undefined) return [];
    if (!brought.isNew) break;
  }
  return lateAmong(context, head, late);
}

async function withoutPast(
  { events: stored }: RoomserverContext,
  events: readonly CheckedEvent[],
): Promise<CheckedEvent[]> {
  const known = await stored.load(events.flatMap(({ pdu }) => pdu.prevEvents));
  const isPlaced = (id: EventId) => known.get(id)?.stateBefore !== undefined;
  return events.filter(({ pdu }) => !pdu.prevEvents.every(isPlaced));
}

/** Not deeper than what is known, and not known. */
async function lateAmong(
  { events: stored }: RoomserverContext,
  { extremities }: RoomHead,
  events: readonly CheckedEvent[],
): Promise<CheckedEvent[]> {
  const deepest = Math.max(...extremities.map(({ depth }) => depth));
  const old = events.filter(({ pdu }) => pdu.depth <= deepest);
  if (old.length === 0) return [];
  const known = await stored.load(old.map(({ pdu }) => pdu.eventId));
  return old.filter(({ pdu }) => known.get(pdu.eventId)?.stateBefore === undefined);
}
