// Pages of a room's history, with what other servers have of it where there are gaps here. Backwards no page goes over a gap
// that may yet be filled: it ends there, and the next one begins there, until it is filled or nobody has what is missing.

import type { SyncserverContext } from '../context.ts';
import { BEGINNING, before } from './points.ts';
import { type Page, type PageRequest, readPage } from './read-page.ts';

/** Somebody waits. */
const MAX_ROUNDS = 3;
const MAX_MS = 10_000;

export type ReachingContext = SyncserverContext & {
  /** False where that position of `roomserver.output` has not been consumed within some time. */
  readonly reachRooms: (position: number) => Promise<boolean>;
};

export interface WholePageRequest extends PageRequest {
  /** Of the deepest event of which what came before it belongs to the page. */
  readonly maxDepth: number;
}

/** As `readPage`; `end` is `from` itself where nothing can be shown yet. */
export async function readWholePage(
  context: ReachingContext,
  request: WholePageRequest,
): Promise<Page> {
  if (!request.isBackwards || request.limit === 0) return readPage(context, request);
  const { clock, positions, roomserver } = context;
  const { maxDepth, limit, view } = request;
  const endsAt = clock.now() + MAX_MS;
  /** Down to there nothing is missing. */
  let depth = maxDepth + 1;
  for (let round = 0; round < MAX_ROUNDS && clock.now() <= endsAt; round++) {
    const consumed = positions.rooms;
    const page = await readPage(context, request);
    const range = { roomId: view.roomId, minDepth: leastDepth(page, request), maxDepth };
    const { position, isNew, gapAt } = await roomserver.performBackfill({ ...range, limit });
    const isRead = position <= consumed;
    if (isRead && gapAt === undefined) return page;
    if (gapAt !== undefined && (isRead || isNew)) depth = gapAt;
    if (isRead) break;
    if (await context.reachRooms(position)) continue;
    depth = maxDepth + 1;
    break;
  }
  return pageDownTo(context, request, depth);
}

/** What is missing before the last event of a full page is the next page's business. */
function leastDepth({ end }: Page, { to }: PageRequest): number {
  return end === undefined ? Math.max(to?.depth ?? 0, 0) : end.depth + 1;
}

async function pageDownTo(
  context: SyncserverContext,
  request: PageRequest,
  depth: number,
): Promise<Page> {
  const { from, to } = request;
  if (to !== undefined && to.depth >= depth) return readPage(context, request);
  const floor = { depth, position: BEGINNING.position };
  const page = await readPage(context, { ...request, to: floor });
  const last = page.rows.at(-1);
  return { rows: page.rows, end: page.end ?? (last === undefined ? from : before(last)) };
}
