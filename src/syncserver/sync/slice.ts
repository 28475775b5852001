// The part of a room's timeline that a response shows: the newest events that pass filter and visibility.

import type { SyncserverContext } from '../context.ts';
import type { EventFilter } from '../filter/event-filter.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { visibleOrCurrentRows } from '../rooms/visible-rows.ts';
import { selectTimeline, type TimelineRow } from '../store/timeline.ts';

/** However little of a room passes the filter, no more of its rows are looked at. */
const MAX_SCANNED = 1000;

export interface SliceRequest {
  readonly view: RoomView;
  /** Exclusive; 0 for no bound. */
  readonly after: number;
  readonly limit: number;
  readonly filter: EventFilter;
}

export interface Slice {
  /** In order. */
  readonly shown: readonly TimelineRow[];
  /** In order, and without gap up to the end of the view, back to the first that is shown or further. */
  readonly scanned: readonly TimelineRow[];
  /** Whether there is more after `after` that could have been shown. */
  readonly limited: boolean;
}

type Needs = Pick<SyncserverContext, 'database' | 'live' | 'roomserver' | 'events'>;

export async function selectSlice(context: Needs, request: SliceRequest): Promise<Slice> {
  const { view, after, limit } = request;
  const found: Found = { shown: [], scanned: [] };
  const inMemory = context.live.room(view.roomId)?.rows(after, view.upTo);
  let limited = false;
  if (inMemory !== undefined) limited = await add(context, request, { found, chunk: inMemory });
  else {
    for await (const chunk of storedChunks(context, request)) {
      limited = await add(context, request, { found, chunk });
      if (limited) break;
    }
  }
  const shown = limited ? found.shown.slice(0, limit) : found.shown;
  return { shown: shown.reverse(), scanned: found.scanned.reverse(), limited };
}

/** Newest first. */
interface Found {
  readonly shown: TimelineRow[];
  readonly scanned: TimelineRow[];
}

/** Whether no more of it can be shown. */
async function add(
  context: Needs,
  { view, limit, filter }: SliceRequest,
  { found, chunk }: { readonly found: Found; readonly chunk: readonly TimelineRow[] },
): Promise<boolean> {
  const { shown, scanned } = found;
  const { rows, ends } = untilAnew(chunk);
  const passing = filter.passesRoom(view.roomId)
    ? rows.filter((row) => row.kind === 'event' && filter.passes(row))
    : [];
  if (passing.length > 0) shown.push(...(await visibleOrCurrentRows(context, view, passing)));
  scanned.push(...chunk);
  return ends || shown.length > limit || scanned.length >= MAX_SCANNED;
}

/** Newest first, in growing pieces. */
async function* storedChunks(
  { database }: Needs,
  { view, after, limit, filter }: SliceRequest,
): AsyncGenerator<readonly TimelineRow[]> {
  const { roomId } = view;
  let upTo = view.upTo;
  let size = filter.passesAll ? limit + 1 : limit * 3 + 1;
  for (;;) {
    const rows = await selectTimeline(database, { roomId, after, upTo, limit: size });
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    upTo = last.position - 1;
    size = Math.min(size * 3, MAX_SCANNED);
  }
}

/** What came before a row at which the timeline starts anew is not continued by what comes after. */
function untilAnew(chunk: readonly TimelineRow[]): { rows: readonly TimelineRow[]; ends: boolean } {
  const index = chunk.findIndex((row) => row.kind === 'anew');
  return index === -1 ? { rows: chunk, ends: false } : { rows: chunk.slice(0, index), ends: true };
}
