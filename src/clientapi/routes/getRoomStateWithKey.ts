// GET /rooms/{roomId}/state/{eventType}/{stateKey}.

import { roomId, shortText, stateKey } from '../../http/identifier-parameters.ts';
import { oneOf, withDefault } from '../../http/parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { isJsonObject } from '../../protocol/json.ts';
import type { ClientapiContext } from '../context.ts';
import { viewerOf } from '../viewer.ts';

export function getRoomStateWithKey({ syncserver }: ClientapiContext): Route {
  return route({
    operationId: 'getRoomStateWithKey',
    method: 'GET',
    paths: ['/_matrix/client/{r0,v3}/rooms/:roomId/state/:eventType{,/,/:stateKey}'],
    auth: 'guest',
    params: { roomId: roomId(), eventType: shortText(), stateKey: stateKey() },
    query: { format: withDefault(oneOf('content', 'event'), 'content') },
    handler: async ({ requester, params: { roomId, eventType, stateKey }, query }) => {
      const event = await syncserver.stateEvent({
        viewer: viewerOf(requester),
        roomId,
        type: eventType,
        stateKey,
      });
      if (query.format === 'event') return event;
      return isJsonObject(event.content) ? event.content : {};
    },
  });
}
