// A look that goes on after an interruption: what was said meanwhile is received like the events of any room, where it can
// be had and is not too much.

import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvents } from '../input/check-event.ts';
import { isChecked } from '../input/checked-event.ts';
import { inputChecked } from '../input/input-events.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import type { PeekAnswer } from './peek-answer.ts';

/** Where what is new lies so much deeper than what is here, more is missing than is asked for in one go. */
const MAX_DEPTH = 200;

/** From the extremities that are here to those of the answer. What cannot be connected is left out. */
export async function catchUp(
  context: RoomserverContext,
  { roomId, server, answer }: { roomId: RoomId; server: ServerName; answer: PeekAnswer },
): Promise<void> {
  const head = await context.rooms.head(roomId);
  if (head === undefined || head.extremities.length === 0) return;
  const latest = new Set<EventId>(answer.extremities.map(({ eventId }) => eventId));
  const given = answer.events.filter(({ eventId }) => latest.has(eventId));
  if (!isNear(head, given)) return;
  const check = { roomId, rules: rulesOf(head.roomVersion), keyRing: context.keyRing };
  const events = (await checkEvents(given, check)).filter(isChecked);
  const input = { head, origin: server, events, kind: 'new', isConnected: true } as const;
  await inputChecked(context, input);
}

function isNear({ extremities }: RoomHead, given: PeekAnswer['events']): boolean {
  const depths = given.map(({ json }) => (typeof json.depth === 'number' ? json.depth : Infinity));
  const known = Math.max(...extremities.map(({ depth }) => depth));
  return Math.max(...depths) - known <= MAX_DEPTH;
}
