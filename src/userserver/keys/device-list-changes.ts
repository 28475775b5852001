// Entries that announce changes of a local user's devices and cross-signing keys to those who share a room with her.

import type { Transaction } from '../../database/database.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import type { UserChange } from '../output.ts';
import { updateDeviceListStream } from '../store/device-keys.ts';
import { selectDevices } from '../store/devices.ts';
import { NO_KEYS, visibleKeys } from './visible-keys.ts';

/** The account is locked and the devices are as they are to be announced. Those that are not there are gone. */
export async function deviceListChanges(
  tx: Transaction,
  userId: UserId,
  deviceIds: readonly DeviceId[],
): Promise<UserChange[]> {
  if (deviceIds.length === 0) return [];
  const last = await updateDeviceListStream(tx, userId, deviceIds.length);
  const { devices: withKeys } = (await visibleKeys(tx, [userId], undefined)).get(userId) ?? NO_KEYS;
  const devices = new Map((await selectDevices(tx, userId)).map((row) => [row.device_id, row]));
  return deviceIds.map((deviceId, index) => {
    const streamId = last - deviceIds.length + index + 1;
    const device = devices.get(deviceId);
    const keys = withKeys.get(deviceId)?.keys;
    const displayName = device?.display_name ?? undefined;
    return {
      kind: 'DeviceListChanged',
      deviceId,
      streamId,
      prevIds: streamId === 1 ? [] : [streamId - 1],
      ...(device === undefined && { deleted: true }),
      ...(keys !== undefined && { keys }),
      ...(displayName !== undefined && { displayName }),
    };
  });
}

/** The account is locked. */
export async function signingKeysChange(tx: Transaction, userId: UserId): Promise<UserChange> {
  const { crossSigning } = (await visibleKeys(tx, [userId], undefined)).get(userId) ?? NO_KEYS;
  const { master, self_signing: selfSigning } = crossSigning;
  return {
    kind: 'SigningKeysChanged',
    ...(master !== undefined && { masterKey: master }),
    ...(selfSigning !== undefined && { selfSigningKey: selfSigning }),
  };
}
