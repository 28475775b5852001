// The Server-Server API. As yet it serves what clients and other programs need of it; requests of other
// servers, which are signed, come with federation.

import type { Route } from '../http/route.ts';
import type { FederationapiContext } from './context.ts';
import { exchangeOpenIdToken } from './routes/exchangeOpenIdToken.ts';
import { getServerKey } from './routes/getServerKey.ts';
import { getVersion } from './routes/getVersion.ts';

export interface Federationapi {
  readonly routes: readonly Route[];
}

export function createFederationapi(context: FederationapiContext): Federationapi {
  return {
    routes: [getVersion(context), getServerKey(context), exchangeOpenIdToken(context)],
  };
}
