// The life of sessions: access tokens asked for, refreshed and ended.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { Session, UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { endAllDevices, endDevices } from './device-removal.ts';
import { createTokens, storeTokens } from './new-session.ts';
import { lockAccount } from './store/accounts.ts';
import {
  deleteSuccessors,
  type SessionRow,
  selectSessionByRefreshHash,
  updateToFirstUsed,
} from './store/sessions.ts';
import { hashOfToken } from './tokens.ts';

export function createSessions(
  context: UserserverContext,
): Pick<
  UserserverApi,
  'queryAccessToken' | 'performRefresh' | 'performLogout' | 'performLogoutAll'
> {
  return {
    queryAccessToken: ({ token }) => context.tokenOwners.query(token),
    performRefresh: ({ refreshToken }) => refresh(context, refreshToken),
    performLogout: ({ userId, deviceId }) =>
      context.write(userId, async (tx) => {
        await lockAccount(tx, userId);
        return endDevices(context, tx, { userId, deviceIds: [deviceId] });
      }),
    performLogoutAll: ({ userId, exceptDeviceId }) =>
      context.write(userId, async (tx) => {
        await lockAccount(tx, userId);
        return endAllDevices(context, tx, { userId, except: exceptDeviceId });
      }),
  };
}

/**
 * Client-Server API, "Refreshing access tokens": the old tokens live until the new ones are first used, so that a
 * client which did not get the answer can refresh again. Then the tokens of the lost answer end.
 */
async function refresh(context: UserserverContext, refreshToken: string): Promise<Session> {
  const refreshHash = hashOfToken(refreshToken);
  const tokens = createTokens(context, true);
  return context.database.transact(async (tx) => {
    const current = await lockByRefreshHash(tx, refreshHash);
    if (current === undefined) {
      throw new MatrixError('M_UNKNOWN_TOKEN', 'Refresh token is unknown or has been used');
    }
    if (current.replaces !== null) {
      // This refresh token has come into use.
      await updateToFirstUsed(tx, current.access_hash, current.replaces);
    }
    const lost = await deleteSuccessors(tx, current.access_hash);
    const ended = current.replaces === null ? lost : [...lost, current.replaces];
    context.tokenOwners.forgetAfterCommit(tx, [current.access_hash, ...ended]);
    const { user_id: userId, device_id: deviceId, access_hash: replaces } = current;
    return storeTokens(context, tx, { userId, deviceId, tokens, replaces });
  });
}

async function lockByRefreshHash(
  tx: Transaction,
  refreshHash: string,
): Promise<SessionRow | undefined> {
  const seen = await selectSessionByRefreshHash(tx, refreshHash);
  if (seen === undefined) return undefined;
  await lockAccount(tx, seen.user_id);
  return selectSessionByRefreshHash(tx, refreshHash);
}
