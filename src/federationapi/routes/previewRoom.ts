// GET /_matrix/federation/v1/peek/{roomId}: a room shown once, as Palpo asks for it. No part of MSC2444.

import { roomId } from '../../http/identifier-parameters.ts';
import { integer, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import type { FederationapiContext } from '../context.ts';

const DEFAULT_LIMIT = 20;

export function previewRoom({ roomserver }: FederationapiContext): Route {
  return route({
    operationId: 'previewRoom',
    method: 'GET',
    paths: ['/_matrix/federation/v1/peek/:roomId'],
    auth: 'server',
    rateLimit: 'federationState',
    params: { roomId: roomId() },
    query: { limit: withDefault(integer({ minimum: 1 }), DEFAULT_LIMIT) },
    handler: async ({ requester: { origin }, params, query: { limit } }) => {
      const found = await roomserver.queryPreviewFor({ origin, ...params, limit });
      return { room_version: found.roomVersion, pdus: found.state, messages: found.messages };
    },
  });
}
