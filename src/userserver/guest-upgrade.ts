// From guest to ordinary user (Client-Server API, "Guest Access").

import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Session, UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { prepareSession, storeSession } from './new-session.ts';
import { hashNewPassword } from './registration.ts';
import { lockAccount, updateUpgraded } from './store/accounts.ts';
import { selectDevices } from './store/devices.ts';
import { deleteSessionsOfDevices } from './store/sessions.ts';

type UpgradeRequest = Parameters<UserserverApi['performUpgradeGuest']>[0];

export function createGuestUpgrade(
  context: UserserverContext,
): Pick<UserserverApi, 'performUpgradeGuest'> {
  return { performUpgradeGuest: (request) => upgrade(context, request) };
}

async function upgrade(
  context: UserserverContext,
  { userId, password, inhibitLogin, device }: UpgradeRequest,
): Promise<Session | { readonly userId: UserId }> {
  const prepared = inhibitLogin ? undefined : prepareSession(context, device);
  const passwordHash = await hashNewPassword(context, password);
  return await context.database.transact(async (tx) => {
    const account = await lockAccount(tx, userId);
    if (account?.is_guest !== 1 || account.is_deactivated !== 0) {
      throw new MatrixError('M_FORBIDDEN', 'Only guests can be made ordinary users');
    }
    await updateUpgraded(tx, userId, passwordHash);
    const deviceIds = (await selectDevices(tx, userId)).map((row) => row.device_id);
    const ended = await deleteSessionsOfDevices(tx, userId, deviceIds);
    context.tokenOwners.forgetAfterCommit(tx, ended);
    return prepared === undefined
      ? { userId }
      : await storeSession(context, tx, { userId, prepared });
  });
}
