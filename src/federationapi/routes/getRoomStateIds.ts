// GET /_matrix/federation/v1/state_ids/{roomId}: as getRoomState, event ids alone.

import type { ConcurrencyLimit } from '../../concurrency-limit.ts';
import { eventId, roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';
import { jsonStream } from '../json-stream.ts';

/** `limit`: of whole states that are read at once. */
export function getRoomStateIds(
  { roomserver }: FederationapiContext,
  limit: ConcurrencyLimit,
): Route {
  return route({
    operationId: 'getRoomStateIds',
    method: 'GET',
    paths: ['/_matrix/federation/v1/state_ids/:roomId'],
    auth: 'server',
    rateLimit: 'federationState',
    params: { roomId: roomId() },
    query: { event_id: eventId() },
    handler: async ({ requester: { origin }, params: { roomId }, query }) => {
      const request = { origin, roomId, eventId: query.event_id };
      const found = await limit.run(() => roomserver.queryStateIdsFor(request));
      return jsonStream({ pdu_ids: found.stateIds, auth_chain_ids: found.authChainIds });
    },
  });
}
