// From tokens to places in a room's history, which is ordered by depth.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import {
  type Point,
  selectDeepest,
  selectEarliest,
  selectFirstAfter,
  selectTimeline,
} from '../store/timeline.ts';
import type { PaginationToken } from '../tokens.ts';
import type { RoomView } from './room-view.ts';

export const BEGINNING: Point = { depth: -1, position: Number.MIN_SAFE_INTEGER };
export const END: Point = {
  depth: Number.MAX_SAFE_INTEGER,
  position: Number.MAX_SAFE_INTEGER,
};

/** Of so many that arrived last one is taken to be near the end of history. */
const NEIGHBOURS = 20;
/** Events arrive out of the order of depth: by so much at most what is said apart and comes together, or its end is missed. */
const FAR = 1_000;

export async function pointOf(
  { database }: Pick<SyncserverContext, 'database'>,
  roomId: RoomId,
  token: PaginationToken,
): Promise<Point> {
  if (token.kind === 'topological') return token;
  const before = await selectTimeline(database, {
    roomId,
    after: 0,
    upTo: token.position,
    limit: NEIGHBOURS,
  });
  const events = before.filter((row) => row.kind === 'event');
  const [first = undefined, ...others] = events;
  if (first !== undefined) {
    const near = others.reduce<Point>(deeper, first);
    const range = { roomId, upTo: token.position, above: near.depth, below: near.depth + FAR };
    return (await selectDeepest(database, range)) ?? near;
  }
  // Before everything that arrived live, but after what was backfilled.
  const next = await selectFirstAfter(database, roomId, token.position);
  return next === undefined ? END : { depth: next.depth, position: next.position - 1 };
}

/**
 * From where history goes on backwards: just before what comes after the token, so that what was missing there and has
 * been filled in is shown, too.
 */
export async function pointBefore(
  context: Pick<SyncserverContext, 'database'>,
  roomId: RoomId,
  token: PaginationToken,
): Promise<Point> {
  const last = await pointOf(context, roomId, token);
  if (token.kind === 'topological') return last;
  const next = await selectFirstAfter(context.database, roomId, token.position);
  return next !== undefined && next.depth > last.depth ? before(next) : last;
}

/**
 * Of the deepest event of which what came before it is before the token: of a timeline that begins there with events side by
 * side, which a client has, whichever of them it is.
 */
export async function depthAfter(
  { database }: Pick<SyncserverContext, 'database'>,
  { roomId, upTo }: Pick<RoomView, 'roomId' | 'upTo'>,
  { start, from }: { readonly start: PaginationToken; readonly from: Point },
): Promise<number> {
  if (start.kind === 'topological') return from.depth;
  const range = { roomId, after: start.position, upTo, limit: NEIGHBOURS };
  const rows = await selectEarliest(database, range);
  const anew = rows.findIndex(({ kind }) => kind === 'anew');
  const timeline = rows.slice(0, anew === -1 ? rows.length : anew);
  return Math.max(from.depth, ...timeline.map(({ depth }) => depth));
}

function deeper(one: Point, other: Point): Point {
  if (one.depth !== other.depth) return one.depth > other.depth ? one : other;
  return one.position >= other.position ? one : other;
}

/** Just before an event. */
export function before({ depth, position }: Point): Point {
  return { depth, position: position - 1 };
}
