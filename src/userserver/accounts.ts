// What becomes of accounts: asked for, given another password, deactivated.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Account, UserserverApi, Written } from './api.ts';
import type { UserCaches, UserserverContext } from './context.ts';
import { endAllDevices } from './device-removal.ts';
import type { UserChange } from './output.ts';
import { hashNewPassword } from './registration.ts';
import { deleteAllAccountData } from './store/account-data.ts';
import {
  lockAccount,
  selectAccount,
  updateDeactivated,
  updatePasswordHash,
} from './store/accounts.ts';
import { deleteAllCrossSigning } from './store/cross-signing-keys.ts';
import { deleteFilters } from './store/filters.ts';
import { deleteKeyBackups } from './store/key-backups.ts';
import { deleteProfile } from './store/profiles.ts';
import { deletePushRuleChanges } from './store/push-rules.ts';
import { deleteAllShortTokens, deleteLoginTokens } from './store/short-tokens.ts';

export function createAccounts(
  context: UserserverContext,
  caches: readonly UserCaches[],
): Pick<UserserverApi, 'queryAccount' | 'performSetPassword' | 'performDeactivate'> {
  return {
    queryAccount: ({ userId }) => queryAccount(context, userId),
    performSetPassword: (request) => setPassword(context, request),
    performDeactivate: ({ userId, erase }) =>
      context.write(userId, async (tx) => {
        const changes = await deactivate(context, tx, userId);
        if (erase) await eraseData(tx, userId, caches);
        return changes;
      }),
  };
}

async function queryAccount(
  context: UserserverContext,
  userId: UserId,
): Promise<Account | undefined> {
  const row = await selectAccount(context.database, userId);
  if (row === undefined) return undefined;
  return {
    userId,
    isGuest: row.is_guest === 1,
    isAdmin: row.is_admin === 1,
    isDeactivated: row.is_deactivated === 1,
    createdTs: row.created_ts,
  };
}

async function setPassword(
  context: UserserverContext,
  request: Parameters<UserserverApi['performSetPassword']>[0],
): Promise<Written> {
  const { userId, password, logoutDevices } = request;
  const passwordHash = await hashNewPassword(context, password);
  return context.write(userId, async (tx) => {
    const account = await lockAccount(tx, userId);
    if (account === undefined) throw new MatrixError('M_NOT_FOUND', 'No such user');
    if (account.is_deactivated === 1) {
      throw new MatrixError('M_USER_DEACTIVATED', 'This account has been deactivated');
    }
    await updatePasswordHash(tx, userId, passwordHash);
    // Who knew the old password may have asked for a login token.
    await deleteLoginTokens(tx, userId);
    if (logoutDevices === undefined) return [];
    return endAllDevices(context, tx, { userId, except: logoutDevices.exceptDeviceId });
  });
}

/** The row stays, so that nobody can register the name again. */
async function deactivate(
  context: UserserverContext,
  tx: Transaction,
  userId: UserId,
): Promise<UserChange[]> {
  if ((await lockAccount(tx, userId)) === undefined) {
    throw new MatrixError('M_NOT_FOUND', 'No such user');
  }
  await updateDeactivated(tx, userId);
  await deleteAllShortTokens(tx, userId);
  await deleteKeyBackups(tx, userId);
  await deleteAllCrossSigning(tx, userId);
  const ended = await endAllDevices(context, tx, { userId, except: undefined });
  return [...ended, { kind: 'UserDeactivated' }];
}

async function eraseData(
  tx: Transaction,
  userId: UserId,
  caches: readonly UserCaches[],
): Promise<void> {
  await deleteProfile(tx, userId);
  await deleteAllAccountData(tx, userId);
  await deleteFilters(tx, userId);
  await deletePushRuleChanges(tx, userId);
  for (const cache of caches) cache.forgetAfterCommit(tx, userId);
}
