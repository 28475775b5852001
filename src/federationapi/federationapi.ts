// The Server-Server API: what other servers ask and tell. It checks who they are and what they send, and hands it on.

import type { Route } from '../http/route.ts';
import type { AuthenticateServer } from '../http/server-request.ts';
import { authenticateServers } from './authenticate-server.ts';
import type { FederationapiContext } from './context.ts';
import { bulkPerspectivesKeyQuery } from './routes/bulkPerspectivesKeyQuery.ts';
import { endPeek } from './routes/endPeek.ts';
import { exchangeOpenIdToken } from './routes/exchangeOpenIdToken.ts';
import { getServerKey } from './routes/getServerKey.ts';
import { getVersion } from './routes/getVersion.ts';
import { perspectivesKeyQuery } from './routes/perspectivesKeyQuery.ts';
import { renewPeek } from './routes/renewPeek.ts';
import { sendTransaction } from './routes/sendTransaction.ts';
import { startPeek } from './routes/startPeek.ts';
import { migrations } from './store/migrations.ts';

export interface Federationapi {
  readonly routes: readonly Route[];
  readonly authenticateServer: AuthenticateServer;
}

/** Applies the migrations. */
export async function createFederationapi(context: FederationapiContext): Promise<Federationapi> {
  await context.database.migrate('federationapi', migrations);
  return { routes: routesOf(context), authenticateServer: authenticateServers(context) };
}

function routesOf(context: FederationapiContext): readonly Route[] {
  return [
    getVersion(context),
    getServerKey(context),
    perspectivesKeyQuery(context),
    bulkPerspectivesKeyQuery(context),
    exchangeOpenIdToken(context),
    startPeek(context),
    renewPeek(context),
    endPeek(context),
    // Until the roomserver can receive, nobody may send.
    ...('performReceivePdus' in context.roomserver ? [sendTransaction(context)] : []),
  ];
}
