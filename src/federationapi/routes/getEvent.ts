// GET /_matrix/federation/v1/event/{eventId}.

import { eventId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { asTransaction } from '../as-transaction.ts';
import type { FederationapiContext } from '../context.ts';

export function getEvent(context: FederationapiContext): Route {
  return route({
    operationId: 'getEvent',
    method: 'GET',
    paths: ['/_matrix/federation/v1/event/:eventId'],
    auth: 'server',
    params: { eventId: eventId() },
    handler: async ({ requester: { origin }, params: { eventId } }) => {
      const { event } = await context.roomserver.queryEventFor({ origin, eventId });
      return asTransaction(context, [event]);
    },
  });
}
