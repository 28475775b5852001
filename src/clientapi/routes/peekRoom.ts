// POST /peek/{roomIdOrAlias} (MSC2753), under every path that clients have used for it.

import { roomIdOrAlias } from '../../http/identifier-parameters.ts';
import { type Route, route } from '../../http/route.ts';
import { Type } from '../../json-schema.ts';
import { parseServerName } from '../../protocol/identifiers.ts';
import type { ClientapiContext } from '../context.ts';
import { identifierText } from '../identifier-text.ts';
import { hintsOf, SERVER_HINTS, startPeek } from '../room-peek.ts';
import { viewerOf } from '../viewer.ts';

export function peekRoom(context: ClientapiContext): Route {
  return route({
    operationId: 'peekRoom',
    method: 'POST',
    paths: [
      '/_matrix/client/{r0,v1,v3,unstable/org.matrix.msc2753}/peek/:roomIdOrAlias',
      '/_matrix/client/{r0,v1,v3,unstable/org.matrix.msc2753}/rooms/:roomIdOrAlias/peek',
    ],
    auth: 'guest',
    rateLimit: 'peek',
    params: { roomIdOrAlias: roomIdOrAlias() },
    query: SERVER_HINTS,
    body: Type.Object({ servers: Type.Optional(Type.Array(identifierText('server-name'))) }),
    bodyOptional: true,
    handler: async ({ requester, params: { roomIdOrAlias }, query, body }) => {
      const servers = (body.servers ?? []).map(parseServerName);
      const serverNames = [...new Set([...servers, ...hintsOf(query)])];
      const viewer = viewerOf(requester);
      const peek = await startPeek(context, { viewer, roomIdOrAlias, serverNames, via: 'sync' });
      return { room_id: peek.roomId, peek_expiry_ts: peek.expiryTs };
    },
  });
}
