// PUT /_matrix/federation/v1/peek/{roomId}/{peekId} (MSC2444): another server begins to look into a room. Repeated, it is
// answered whole, and the peek lasts longer.

import type { ConcurrencyLimit } from '../../concurrency-limit.ts';
import { roomId } from '../../http/identifier-parameters.ts';
import { repeated, text } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import type { FederationapiContext } from '../context.ts';
import { jsonStream } from '../json-stream.ts';
import { peekId } from '../peek-id.ts';
import { peekResponse, speaksOldDialect } from '../peek-response.ts';

/** `limit`: of whole states that are read at once. */
export function startPeek(context: FederationapiContext, limit: ConcurrencyLimit): Route {
  const { roomserver, federationsender, clock, config } = context;
  const { renewalIntervalMs: renewalInterval, compatFields } = config.peeking;
  return route({
    operationId: 'startPeek',
    method: 'PUT',
    paths: ['/_matrix/federation/v1/peek/:roomId/:peekId'],
    auth: 'server',
    rateLimit: 'federationState',
    params: { roomId: roomId(), peekId: peekId() },
    query: { ver: repeated(text()) },
    body: Type.Object({}),
    bodyOptional: true,
    errorStatus: { M_UNRECOGNIZED: 400 },
    handler: async ({ requester: { origin }, params, query: { ver } }) => {
      await federationsender.checkInboundPeekLimits({ server: origin, ...params });
      const { position, snapshot } = await limit.run(() =>
        roomserver.performInboundPeek({
          origin,
          ...params,
          roomVersions: ver.length === 0 ? undefined : ver,
          expiryTs: clock.now() + renewalInterval,
        }),
      );
      await federationsender.waitForRooms({ position });
      const isOld = speaksOldDialect({ peekId: params.peekId, roomVersions: ver });
      const isCompatible = compatFields === 'always' || (compatFields === 'auto' && isOld);
      return jsonStream(peekResponse(snapshot, { renewalInterval, isCompatible }));
    },
  });
}
