// GET /rooms/{roomId}/relations/{eventId}[/{relType}[/{eventType}]].

import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { viewRoom } from '../rooms/access.ts';
import { BEGINNING, before, END, pointOf } from '../rooms/points.ts';
import { presentRows } from '../rooms/present-rows.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { findVisibleRow, noSuchEvent } from '../rooms/visible-row.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import { type Kinship, selectRelated } from '../store/relations.ts';
import type { Point, TimelineRow } from '../store/timeline.ts';
import { encodePaginationToken, parsePaginationToken } from '../tokens.ts';

/** As deep as the specification asks for. */
const MAX_HOPS = 3;
const MAX_LIMIT = 1000;
/** However little of it is visible, no more is looked at for one response. */
const MAX_SCANNED = 2000;
const GROWTH = 10;

export interface RelationsRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly relType?: string;
  readonly eventType?: string;
  readonly from?: string;
  readonly to?: string;
  readonly dir: 'b' | 'f';
  readonly limit: number;
  readonly recurse: boolean;
}

/** Errors: M_NOT_FOUND, also when the viewer may not see the room; M_INVALID_PARAM. */
export async function relations(
  context: SyncserverContext,
  request: RelationsRequest,
): Promise<JsonObject> {
  const view = await viewRoom(context, request).catch(asNotFound);
  await findVisibleRow(context, view, request.eventId);
  const { rows, next } = await readPage(context, view, request);
  return {
    chunk: await presentRows(context, view, { rows, withRoomId: true, relations: 'all' }),
    ...(next !== undefined && {
      next_batch: encodePaginationToken({ kind: 'topological', ...next }),
    }),
    ...(request.from !== undefined && { prev_batch: request.from }),
    ...(request.recurse && { recursion_depth: MAX_HOPS }),
  };
}

interface Page {
  readonly rows: readonly TimelineRow[];
  /** Where the next page begins; undefined when there is none. */
  readonly next: Point | undefined;
}

async function readPage(
  context: SyncserverContext,
  view: RoomView,
  request: RelationsRequest,
): Promise<Page> {
  const isBackwards = request.dir === 'b';
  const limit = Math.min(Math.max(Math.trunc(request.limit), 0), MAX_LIMIT);
  let from = (await pointIn(context, request, 'from')) ?? (isBackwards ? END : BEGINNING);
  const to = (await pointIn(context, request, 'to')) ?? (isBackwards ? BEGINNING : END);
  const past = (row: TimelineRow) => (isBackwards ? before(row) : row);
  const rows: TimelineRow[] = [];
  // One more than is shown tells whether there is a next page.
  let size = limit + 1;
  for (let scanned = 0; scanned < MAX_SCANNED && limit > 0; ) {
    const chunk = await selectRelated(context.database, kinshipOf(request), {
      ...(isBackwards ? { after: to, last: from } : { after: from, last: to }),
      upTo: view.upTo,
      latestFirst: isBackwards,
      limit: size,
    });
    rows.push(...(await visibleRows(context, view, chunk)));
    const last = rows[limit - 1];
    if (rows.length > limit && last !== undefined) {
      return { rows: rows.slice(0, limit), next: past(last) };
    }
    const end = chunk.at(-1);
    if (chunk.length < size || end === undefined) return { rows, next: undefined };
    from = past(end);
    scanned += chunk.length;
    // Each piece costs as much as there are relations: where few are visible, there are to be few pieces.
    size = Math.min(size * GROWTH, MAX_SCANNED);
  }
  return { rows, next: limit > 0 ? from : undefined };
}

function kinshipOf(request: RelationsRequest): Kinship {
  const { roomId, eventId, relType = '', eventType = '', recurse } = request;
  return { roomId, eventId, relType, eventType, maxHops: recurse ? MAX_HOPS : 1 };
}

async function pointIn(
  context: SyncserverContext,
  request: RelationsRequest,
  parameter: 'from' | 'to',
): Promise<Point | undefined> {
  const token = request[parameter];
  if (token === undefined) return undefined;
  return pointOf(context, request.roomId, parsePaginationToken(token, parameter));
}

function asNotFound(error: unknown): never {
  if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return noSuchEvent();
  throw error;
}
