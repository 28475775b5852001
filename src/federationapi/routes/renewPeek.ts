// POST /_matrix/federation/v1/peek/{roomId}/{peekId}/renew (MSC2444).

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';
import { peekId } from '../peek-id.ts';

export function renewPeek(context: FederationapiContext): Route {
  const { roomserver, federationsender, clock, config } = context;
  const { renewalIntervalMs } = config.peeking;
  return route({
    operationId: 'renewPeek',
    method: 'POST',
    paths: ['/_matrix/federation/v1/peek/:roomId/:peekId/renew'],
    auth: 'server',
    rateLimit: 'federation',
    params: { roomId: roomId(), peekId: peekId() },
    body: Type.Object({}),
    bodyOptional: true,
    errorStatus: { M_UNRECOGNIZED: 400 },
    handler: async ({ requester: { origin }, params }) => {
      const { isActive } = await federationsender.queryInboundPeek({ server: origin, ...params });
      if (!isActive) throw new MatrixError('M_NOT_FOUND', 'No such peek');
      const { position } = await roomserver.performRenewInboundPeek({
        origin,
        ...params,
        expiryTs: clock.now() + renewalIntervalMs,
      });
      await federationsender.waitForRooms({ position });
      return { renewal_interval: renewalIntervalMs };
    },
  });
}
