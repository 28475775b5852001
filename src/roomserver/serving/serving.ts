// What other servers are told of our rooms.

import type { ReadingApi } from '../serving-api.ts';
import { checkServerAcl, type ServingContext } from './access.ts';
import { queryEventFor } from './event.ts';
import { queryBackfillFor, queryMissingEventsFor } from './history.ts';
import { queryPreviewFor } from './preview.ts';
import { queryEventAuthFor, queryStateFor, queryStateIdsFor } from './states.ts';
import { queryTimestampToEventFor } from './timestamp-to-event.ts';

export function createReadingApi(context: ServingContext): ReadingApi {
  return {
    queryEventFor: (request) => queryEventFor(context, request),
    queryStateFor: (request) => queryStateFor(context, request),
    queryStateIdsFor: (request) => queryStateIdsFor(context, request),
    queryEventAuthFor: (request) => queryEventAuthFor(context, request),
    queryBackfillFor: (request) => queryBackfillFor(context, request),
    queryMissingEventsFor: (request) => queryMissingEventsFor(context, request),
    queryPreviewFor: (request) => queryPreviewFor(context, request),
    queryTimestampToEventFor: (request) => queryTimestampToEventFor(context, request),
    checkServerAcl: (request) => checkServerAcl(context, request),
  };
}
