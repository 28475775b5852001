// GET /rooms/{roomId}/messages.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { compileEventFilter } from '../filter/event-filter.ts';
import type { Point, TimelineRow } from '../store/timeline.ts';
import { encodePaginationToken, type PaginationToken, parsePaginationToken } from '../tokens.ts';
import { viewRoom } from './access.ts';
import { BEGINNING, depthAfter, pointBefore, pointOf } from './points.ts';
import { presentRows, presentState } from './present-rows.ts';
import type { RoomView } from './room-view.ts';
import { type ReachingContext, readWholePage } from './whole-page.ts';

const MAX_LIMIT = 1000;

export interface MessagesRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly from?: string;
  readonly to?: string;
  readonly dir: 'b' | 'f';
  readonly limit: number;
  readonly filter: JsonObject;
}

/** Errors: M_FORBIDDEN, M_INVALID_PARAM. */
export async function messages(
  context: ReachingContext,
  request: MessagesRequest,
): Promise<JsonObject> {
  const view = await viewRoom(context, request);
  const filter = compileEventFilter(request.filter);
  const start = startOf(request, view);
  const to = request.to === undefined ? undefined : parsePaginationToken(request.to, 'to');
  const isBackwards = request.dir === 'b';
  const point = isBackwards ? pointBefore : pointOf;
  const from = start === undefined ? BEGINNING : await point(context, request.roomId, start);
  const page = await readWholePage(context, {
    view,
    filter,
    isBackwards,
    from,
    maxDepth: isBackwards && start ? await depthAfter(context, view, { start, from }) : from.depth,
    to: to && (await pointOf(context, request.roomId, to)),
    limit: Math.min(Math.max(Math.trunc(request.limit), 0), filter.limit ?? MAX_LIMIT, MAX_LIMIT),
  });
  const chunk = await presentRows(context, view, {
    rows: page.rows,
    withRoomId: true,
    relations: 'all',
  });
  const beginning = start ?? topological(BEGINNING);
  const end = page.end === from ? beginning : page.end && topological(page.end);
  return {
    start: request.from ?? encodePaginationToken(beginning),
    ...(end !== undefined && { end: encodePaginationToken(end) }),
    chunk,
    ...(filter.lazyLoadMembers && { state: await members(context, view, page.rows) }),
  };
}

function topological(point: Point): PaginationToken {
  return { kind: 'topological', ...point };
}

/** Undefined: the beginning of the room. */
function startOf({ from, dir }: MessagesRequest, { upTo }: RoomView): PaginationToken | undefined {
  if (from !== undefined) return parsePaginationToken(from, 'from');
  return dir === 'b' ? { kind: 'stream', position: upTo } : undefined;
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
