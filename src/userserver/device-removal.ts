// The end of devices, whatever it comes from: tokens, pushers and, by the log, peeks and messages go with them.

import type { Transaction } from '../database/database.ts';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import type { UserserverContext } from './context.ts';
import type { UserChange } from './output.ts';
import { deleteDevices, selectDevices } from './store/devices.ts';
import { deletePushersOfDevices } from './store/pushers.ts';
import { deleteSessionsOfDevices } from './store/sessions.ts';

/** The account is locked. Returns one DeviceDeleted for each device that was there. */
export async function endDevices(
  context: UserserverContext,
  tx: Transaction,
  request: { readonly userId: UserId; readonly deviceIds: readonly DeviceId[] },
): Promise<UserChange[]> {
  const { userId, deviceIds } = request;
  if (deviceIds.length === 0) return [];
  const ended = await deleteSessionsOfDevices(tx, userId, deviceIds);
  context.tokenOwners.forgetAfterCommit(tx, ended);
  await deletePushersOfDevices(tx, userId, deviceIds);
  const deleted = await deleteDevices(tx, userId, deviceIds);
  return deleted.map((deviceId) => ({ kind: 'DeviceDeleted', deviceId }));
}

/** As `endDevices`, for all devices of the user but one. */
export async function endAllDevices(
  context: UserserverContext,
  tx: Transaction,
  request: { readonly userId: UserId; readonly except: DeviceId | undefined },
): Promise<UserChange[]> {
  const { userId, except } = request;
  const devices = await selectDevices(tx, userId);
  const deviceIds = devices.map((row) => row.device_id).filter((id) => id !== except);
  return endDevices(context, tx, { userId, deviceIds });
}
