// DELETE /_matrix/federation/v1/peek/{roomId}/{peekId} (MSC2444).

import { roomId } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { FederationapiContext } from '../context.ts';
import { peekId } from '../peek-id.ts';

export function endPeek({ roomserver, federationsender }: FederationapiContext): Route {
  return route({
    operationId: 'endPeek',
    method: 'DELETE',
    paths: ['/_matrix/federation/v1/peek/:roomId/:peekId'],
    auth: 'server',
    rateLimit: 'federation',
    params: { roomId: roomId(), peekId: peekId() },
    errorStatus: { M_UNRECOGNIZED: 400 },
    handler: async ({ requester: { origin }, params }) => {
      const { isActive } = await federationsender.queryInboundPeek({ server: origin, ...params });
      if (!isActive) throw new MatrixError('M_NOT_FOUND', 'No such peek');
      const { position } = await roomserver.performEndInboundPeek({ origin, ...params });
      await federationsender.waitForRooms({ position });
      return {};
    },
  });
}
