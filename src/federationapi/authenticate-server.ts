// Lets other servers in: by their signature, and never as ourselves.

import { verifyServerRequest } from '../federation/verify-request.ts';
import type { AuthenticateServer } from '../http/server-request.ts';
import { MatrixError } from '../protocol/error.ts';
import type { FederationapiContext } from './context.ts';

export function authenticateServers(context: FederationapiContext): AuthenticateServer {
  const { serverName, federationsender, logger } = context;
  return async (request) => {
    const origin = await verifyServerRequest(request, context);
    if (origin === serverName) {
      throw new MatrixError('M_UNAUTHORIZED', 'This server does not ask itself');
    }
    // It is there: what waits for it may go. Its request does not wait for that.
    federationsender.noteServerAlive({ server: origin }).catch((error: unknown) => {
      logger.warn({ origin, err: error }, 'the federationsender was not told of a server');
    });
    return origin;
  };
}
