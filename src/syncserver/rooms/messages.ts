// GET /rooms/{roomId}/messages.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { compileEventFilter, type EventFilter } from '../filter/event-filter.ts';
import {
  type Point,
  selectBackwards,
  selectForwards,
  type TimelineRow,
} from '../store/timeline.ts';
import { encodePaginationToken, type PaginationToken, parsePaginationToken } from '../tokens.ts';
import { viewRoom } from './access.ts';
import { BEGINNING, before, END, pointOf } from './points.ts';
import { presentRows, presentState } from './present-rows.ts';
import type { RoomView } from './room-view.ts';
import { visibleRows } from './visible-rows.ts';

const MAX_LIMIT = 1000;
/** However little passes, no more rows are looked at for one response. */
const MAX_SCANNED = 2000;

export interface MessagesRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly from?: string;
  readonly to?: string;
  readonly dir: 'b' | 'f';
  readonly limit: number;
  readonly filter: JsonObject;
}

/** Where history is not here, others may have it: resolves true once there is more of it between these depths. */
export type BringHistory = (
  request: Parameters<SyncserverContext['roomserver']['performBackfill']>[0],
) => Promise<boolean>;

/** Errors: M_FORBIDDEN, M_INVALID_PARAM. */
export async function messages(
  context: SyncserverContext,
  request: MessagesRequest,
  bringHistory: BringHistory,
): Promise<JsonObject> {
  const view = await viewRoom(context, request);
  const filter = compileEventFilter(request.filter);
  const start = startOf(request, view);
  const to = request.to === undefined ? undefined : parsePaginationToken(request.to, 'to');
  const wanted: PageRequest = {
    view,
    filter,
    isBackwards: request.dir === 'b',
    from: start === undefined ? BEGINNING : await pointOf(context, request.roomId, start),
    to: to && (await pointOf(context, request.roomId, to)),
    limit: Math.min(Math.max(Math.trunc(request.limit), 0), filter.limit ?? MAX_LIMIT, MAX_LIMIT),
  };
  let page = await readPage(context, wanted);
  if (wanted.isBackwards && (await bringHistory(gapsIn(wanted, page)))) {
    page = await readPage(context, wanted);
  }
  const chunk = await presentRows(context, view, {
    rows: page.rows,
    withRoomId: true,
    relations: 'all',
  });
  return {
    start: request.from ?? encodePaginationToken(start ?? { kind: 'topological', ...BEGINNING }),
    ...(page.end !== undefined && {
      end: encodePaginationToken({ kind: 'topological', ...page.end }),
    }),
    chunk,
    ...(filter.lazyLoadMembers && { state: await members(context, view, page.rows) }),
  };
}

/** Undefined: the beginning of the room. */
function startOf({ from, dir }: MessagesRequest, { upTo }: RoomView): PaginationToken | undefined {
  if (from !== undefined) return parsePaginationToken(from, 'from');
  return dir === 'b' ? { kind: 'stream', position: upTo } : undefined;
}

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

/** What may be missing in a page, or before it where it is the last. */
function gapsIn({ view, from, limit }: PageRequest, { rows, end }: Page) {
  const minDepth = end === undefined ? 0 : Math.max(rows.at(-1)?.depth ?? end.depth, 0);
  return { roomId: view.roomId, minDepth, maxDepth: Math.max(from.depth, 0), limit };
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

/** The senders' member events, for clients that lazy-load them. */
async function members(
  context: SyncserverContext,
  view: RoomView,
  rows: readonly TimelineRow[],
): Promise<JsonObject[]> {
  const senders = new Set<UserId>(rows.map((row) => row.sender));
  if (senders.size === 0) return [];
  const newest = rows.reduce((one, other) => (other.position > one.position ? other : one));
  const events = await context.roomserver.queryStateEvents({
    roomId: view.roomId,
    // Those outside are shown no state but the current one.
    snapshot: view.isLooker ? view.endState : newest.currentState,
    keys: [...senders].map((stateKey) => ({ type: 'm.room.member', stateKey })),
  });
  return presentState(context, view, { events, withRoomId: true });
}
