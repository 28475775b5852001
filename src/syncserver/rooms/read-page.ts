// A page of the rows of a room that a viewer may see and that pass a filter.

import type { SyncserverContext } from '../context.ts';
import type { EventFilter } from '../filter/event-filter.ts';
import {
  type Point,
  selectBackwards,
  selectForwards,
  type TimelineRow,
} from '../store/timeline.ts';
import { BEGINNING, before, END } from './points.ts';
import type { RoomView } from './room-view.ts';
import { visibleRows } from './visible-rows.ts';

/** However little passes, no more rows are looked at for one response. */
const MAX_SCANNED = 2000;

export interface PageRequest {
  readonly view: RoomView;
  readonly filter: EventFilter;
  readonly isBackwards: boolean;
  readonly from: Point;
  readonly to: Point | undefined;
  readonly limit: number;
}

export interface Page {
  /** In the order asked for. */
  readonly rows: readonly TimelineRow[];
  /** Where the next page begins; undefined when there is none. */
  readonly end: Point | undefined;
}

export async function readPage(context: SyncserverContext, request: PageRequest): Promise<Page> {
  const { view, filter, isBackwards, limit } = request;
  const rows: TimelineRow[] = [];
  let { from } = request;
  for (let scanned = 0; scanned < MAX_SCANNED && rows.length < limit; ) {
    const size = Math.max(limit - rows.length, 20);
    const chunk = await readChunk(context, { ...request, from }, size);
    const passing = chunk.filter((row) => filter.passes(row) && filter.passesRoom(view.roomId));
    const visible = await visibleRows(context, view, passing);
    rows.push(...visible.slice(0, limit - rows.length));
    const isFull = rows.length === limit;
    const last = isFull ? rows.at(-1) : chunk.at(-1);
    const isLast = chunk.length < size && (!isFull || last === chunk.at(-1));
    // Going forward there may be more later; a client can go on from the last event.
    if (last === undefined || isLast) return { rows, end: isBackwards ? undefined : rows.at(-1) };
    from = isBackwards ? before(last) : last;
    scanned += chunk.length;
  }
  return { rows, end: from };
}

function readChunk(
  { database }: SyncserverContext,
  { view, isBackwards, from, to }: PageRequest,
  limit: number,
): Promise<TimelineRow[]> {
  const { roomId, upTo } = view;
  return isBackwards
    ? selectBackwards(database, { roomId, from, to: to ?? BEGINNING, upTo, limit })
    : selectForwards(database, { roomId, from, to: to ?? END, upTo, limit });
}
