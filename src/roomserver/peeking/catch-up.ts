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

/** ms before each further attempt, unless somebody waits. */
const PAUSES_MS = [1_000, 5_000];

export interface CatchUp {
  readonly roomId: RoomId;
  readonly server: ServerName;
  readonly answer: PeekAnswer;
  readonly hurry: AbortSignal;
}

/** From the extremities that are here to those of the answer. What cannot be connected is left out. */
export async function catchUp(context: RoomserverContext, request: CatchUp): Promise<void> {
  const { answer, hurry } = request;
  const latest = new Set<EventId>(answer.extremities.map(({ eventId }) => eventId));
  const given = answer.events.filter(({ eventId }) => latest.has(eventId));
  for (const pause of [...PAUSES_MS, 0]) {
    if (await attempt(context, request, given)) return;
    // One connection that broke must not leave a gap.
    await pass(context, pause, hurry);
  }
}

/** Whether more attempts would bring no more. */
async function attempt(
  context: RoomserverContext,
  { roomId, server }: CatchUp,
  given: PeekAnswer['events'],
): Promise<boolean> {
  const head = await context.rooms.head(roomId);
  if (head === undefined || head.extremities.length === 0 || !isNear(head, given)) return true;
  const { keyRing } = context;
  const check = { roomId, rules: rulesOf(head.roomVersion), keyRing, origin: server };
  const events = (await checkEvents(given, check)).filter(isChecked);
  const input = { head, origin: server, events, kind: 'new', isConnected: true } as const;
  const fates = [...(await inputChecked(context, input)).values()];
  return fates.every(({ fate }) => fate !== 'dropped');
}

function pass({ clock }: RoomserverContext, ms: number, hurry: AbortSignal): Promise<void> {
  if (ms === 0 || hurry.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.schedule(ms, resolve);
    hurry.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}

function isNear({ extremities }: RoomHead, given: PeekAnswer['events']): boolean {
  const depths = given.map(({ json }) => (typeof json.depth === 'number' ? json.depth : Infinity));
  const known = Math.max(...extremities.map(({ depth }) => depth));
  return Math.max(...depths) - known <= MAX_DEPTH;
}
