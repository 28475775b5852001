// Pages of a room's history, with what other servers have of it where there are gaps here.

import type { SyncserverContext } from '../context.ts';
import { before } from './points.ts';
import { type Page, type PageRequest, readPage } from './read-page.ts';

/** Somebody waits. */
const MAX_ROUNDS = 3;
const MAX_MS = 10_000;

export type ReachingContext = SyncserverContext & {
  /** Until that position of `roomserver.output` has been consumed, or some time has passed. */
  readonly reachRooms: (position: number) => Promise<unknown>;
};

/** As `readPage`. Where history goes on but cannot be had now, there is a next page, too. */
export async function readWholePage(context: ReachingContext, request: PageRequest): Promise<Page> {
  let page = await readPage(context, request);
  if (!request.isBackwards || request.limit === 0) return page;
  const { clock, roomserver } = context;
  const end = clock.now() + MAX_MS;
  for (let round = 0; round < MAX_ROUNDS && clock.now() < end; round++) {
    const { position, isComplete } = await roomserver.performBackfill({
      roomId: request.view.roomId,
      minDepth: leastDepth(page, request),
      maxDepth: request.from.depth,
      limit: request.limit,
    });
    if (isComplete) return page;
    if (position === 0) break;
    await context.reachRooms(position);
    page = await readPage(context, request);
  }
  const [last = undefined] = page.rows.slice(-1);
  return { ...page, end: page.end ?? (last === undefined ? request.from : before(last)) };
}

/** What is missing before the last event of a full page is the next page's business. */
function leastDepth({ rows, end }: Page, { to }: PageRequest): number {
  const last = end === undefined ? undefined : rows.at(-1);
  return last === undefined ? Math.max(to?.depth ?? 0, 0) : last.depth + 1;
}
