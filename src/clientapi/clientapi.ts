// The Client-Server API: authenticates, validates and delegates. It owns no data.

import type { Requester, Route } from '../http/route.ts';
import { MatrixError } from '../protocol/error.ts';
import { Attendance } from './attendance.ts';
import type { ClientapiDependencies } from './context.ts';
import { createRoutes } from './routes.ts';
import { NonceBook } from './shared-secret.ts';

export interface Clientapi {
  readonly routes: readonly Route[];
  /** Throws M_UNKNOWN_TOKEN, with `soft_logout` when the token has expired. */
  authenticate(token: string): Promise<Requester>;
}

export function createClientapi(dependencies: ClientapiDependencies): Clientapi {
  const { userserver, clock } = dependencies;
  return {
    routes: createRoutes({
      ...dependencies,
      nonces: new NonceBook(clock),
      attendance: new Attendance(dependencies),
    }),
    async authenticate(token) {
      const owner = await userserver.queryAccessToken({ token });
      if (owner === undefined) {
        throw new MatrixError('M_UNKNOWN_TOKEN', 'Unrecognised access token', {
          soft_logout: false,
        });
      }
      return owner;
    },
  };
}
