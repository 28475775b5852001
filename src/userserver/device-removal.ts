// The end of devices, whatever it comes from: tokens, pushers, keys and, by the log, peeks and messages go with them.

import type { Transaction } from '../database/database.ts';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import type { UserserverContext } from './context.ts';
import { deviceListChanges } from './keys/device-list-changes.ts';
import { ED25519 } from './keys/key-checks.ts';
import type { UserChange } from './output.ts';
import { deleteDeviceKeys } from './store/device-keys.ts';
import { deleteDevices, selectDevices } from './store/devices.ts';
import { deleteSignaturesBy, deleteSignaturesOf } from './store/key-signatures.ts';
import { deleteKeysForMessages } from './store/one-time-keys.ts';
import { deletePushersOfDevices } from './store/pushers.ts';
import { deleteSessionsOfDevices } from './store/sessions.ts';

/** The account is locked. For each device that was there, the log says that it is gone, and its user's list another. */
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
  await deleteKeysOf(context, tx, { userId, deviceIds: deleted });
  const gone = deleted.map((deviceId) => ({ kind: 'DeviceDeleted' as const, deviceId }));
  return [...(await deviceListChanges(tx, userId, deleted)), ...gone];
}

async function deleteKeysOf(
  { keyCounts }: UserserverContext,
  tx: Transaction,
  { userId, deviceIds }: { readonly userId: UserId; readonly deviceIds: readonly DeviceId[] },
): Promise<void> {
  if (deviceIds.length === 0) return;
  await deleteDeviceKeys(tx, userId, deviceIds);
  await deleteKeysForMessages(tx, userId, deviceIds);
  await deleteSignaturesOf(tx, userId, deviceIds);
  await deleteSignaturesBy(
    tx,
    userId,
    deviceIds.map((deviceId) => ED25519 + deviceId),
  );
  for (const deviceId of deviceIds) keyCounts.forgetAfterCommit(tx, { userId, deviceId });
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
