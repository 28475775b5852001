// The Server-Server API: what other servers ask and tell. It checks who they are and what they send, and hands it on.

import { ConcurrencyLimit } from '../concurrency-limit.ts';
import type { Route } from '../http/route.ts';
import type { AuthenticateServer } from '../http/server-request.ts';
import { authenticateServers } from './authenticate-server.ts';
import type { FederationapiContext } from './context.ts';
import { backfillRoom } from './routes/backfillRoom.ts';
import { bulkPerspectivesKeyQuery } from './routes/bulkPerspectivesKeyQuery.ts';
import { claimUserEncryptionKeys } from './routes/claimUserEncryptionKeys.ts';
import { endPeek } from './routes/endPeek.ts';
import { exchangeOpenIdToken } from './routes/exchangeOpenIdToken.ts';
import { getContent } from './routes/getContent.ts';
import { getContentThumbnail } from './routes/getContentThumbnail.ts';
import { getEvent } from './routes/getEvent.ts';
import { getEventAuth } from './routes/getEventAuth.ts';
import { getEventByTimestamp } from './routes/getEventByTimestamp.ts';
import { getMissingPreviousEvents } from './routes/getMissingPreviousEvents.ts';
import { getPublicRooms } from './routes/getPublicRooms.ts';
import { getRoomState } from './routes/getRoomState.ts';
import { getRoomStateIds } from './routes/getRoomStateIds.ts';
import { getServerKey } from './routes/getServerKey.ts';
import { getSpaceHierarchy } from './routes/getSpaceHierarchy.ts';
import { getUserDevices } from './routes/getUserDevices.ts';
import { getVersion } from './routes/getVersion.ts';
import { getWellKnown } from './routes/getWellKnown.ts';
import { makeJoin } from './routes/makeJoin.ts';
import { makeKnock } from './routes/makeKnock.ts';
import { makeLeave } from './routes/makeLeave.ts';
import { perspectivesKeyQuery } from './routes/perspectivesKeyQuery.ts';
import { previewRoom } from './routes/previewRoom.ts';
import { queryProfile } from './routes/queryProfile.ts';
import { queryPublicRooms } from './routes/queryPublicRooms.ts';
import { queryRoomDirectory } from './routes/queryRoomDirectory.ts';
import { queryUserEncryptionKeys } from './routes/queryUserEncryptionKeys.ts';
import { renewPeek } from './routes/renewPeek.ts';
import { sendInviteV1 } from './routes/sendInviteV1.ts';
import { sendInviteV2 } from './routes/sendInviteV2.ts';
import { sendJoinV1 } from './routes/sendJoinV1.ts';
import { sendJoinV2 } from './routes/sendJoinV2.ts';
import { sendKnock } from './routes/sendKnock.ts';
import { sendLeaveV1 } from './routes/sendLeaveV1.ts';
import { sendLeaveV2 } from './routes/sendLeaveV2.ts';
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
  return { routes: createRoutes(context), authenticateServer: authenticateServers(context) };
}

/** Whole states of large rooms that are read at once. */
const STATES_AT_ONCE = { running: 2, waiting: 100 };

export function createRoutes(context: FederationapiContext): readonly Route[] {
  const states = new ConcurrencyLimit(STATES_AT_ONCE);
  return [
    getVersion(context),
    getWellKnown(context),
    getServerKey(context),
    perspectivesKeyQuery(context),
    bulkPerspectivesKeyQuery(context),
    exchangeOpenIdToken(context),
    sendTransaction(context),
    getUserDevices(context),
    queryUserEncryptionKeys(context),
    claimUserEncryptionKeys(context),
    makeJoin(context),
    sendJoinV1(context),
    sendJoinV2(context),
    makeLeave(context),
    sendLeaveV1(context),
    sendLeaveV2(context),
    makeKnock(context),
    sendKnock(context),
    sendInviteV1(context),
    sendInviteV2(context),
    getEvent(context),
    getEventAuth(context),
    getRoomState(context, states),
    getRoomStateIds(context, states),
    backfillRoom(context),
    getMissingPreviousEvents(context),
    getEventByTimestamp(context),
    queryProfile(context),
    queryRoomDirectory(context),
    getPublicRooms(context),
    queryPublicRooms(context),
    getSpaceHierarchy(context),
    getContent(context),
    getContentThumbnail(context),
    startPeek(context, states),
    renewPeek(context),
    endPeek(context),
    previewRoom(context),
  ];
}
