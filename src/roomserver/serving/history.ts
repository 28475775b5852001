// Pieces of a room's history: backfill, and what a server has missed.

import type { ServingApi } from '../serving-api.ts';
import { accessOf, type ServingContext } from './access.ts';
import { breadthFirst, deepestFirst, shownTo } from './walk.ts';

/** Whatever a server asks for. */
const MAX_BACKFILLED = 100;
const MAX_MISSING = 100;

export async function queryBackfillFor(
  context: ServingContext,
  { from, limit, ...request }: Parameters<ServingApi['queryBackfillFor']>[0],
): ReturnType<ServingApi['queryBackfillFor']> {
  const access = await accessOf(context, request);
  const found = await deepestFirst(context, {
    access,
    start: from,
    limit: Math.min(limit, MAX_BACKFILLED),
  });
  return { events: await shownTo(context, access, found) };
}

/** Oldest first, so that the events can be received in the order in which they come. */
export async function queryMissingEventsFor(
  context: ServingContext,
  request: Parameters<ServingApi['queryMissingEventsFor']>[0],
): ReturnType<ServingApi['queryMissingEventsFor']> {
  const access = await accessOf(context, request);
  const found = await breadthFirst(context, {
    access,
    start: request.latest,
    known: request.earliest,
    limit: Math.min(request.limit, MAX_MISSING),
    minDepth: request.minDepth,
  });
  const ordered = found.toReversed().sort((a, b) => a.pdu.depth - b.pdu.depth);
  return { events: await shownTo(context, access, ordered) };
}
