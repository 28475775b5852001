// The devices of users.

import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import type { Device, UserserverApi } from './api.ts';
import type { UserserverContext } from './context.ts';
import { checkDeviceDisplayName } from './device-names.ts';
import { endDevices } from './device-removal.ts';
import { deviceListChanges } from './keys/device-list-changes.ts';
import type { LastSeen } from './last-seen.ts';
import { lockAccount } from './store/accounts.ts';
import { type DeviceRow, selectDevice, selectDevices, updateDisplayName } from './store/devices.ts';

export function createDevices(
  context: UserserverContext,
  lastSeen: LastSeen,
): Pick<
  UserserverApi,
  'queryDevices' | 'queryDevice' | 'performUpdateDevice' | 'performDeleteDevices' | 'noteDeviceSeen'
> {
  const { database } = context;
  return {
    queryDevices: async ({ userId }) => {
      const found = await selectDevices(database, userId);
      return found.map((row) => toDevice(row, userId, lastSeen));
    },
    queryDevice: async ({ userId, deviceId }) => {
      const row = await selectDevice(database, userId, deviceId);
      return row && toDevice(row, userId, lastSeen);
    },
    performUpdateDevice: (request) => rename(context, request),
    performDeleteDevices: ({ userId, deviceIds }) =>
      context.write(userId, async (tx) => {
        await lockAccount(tx, userId);
        return endDevices(context, tx, { userId, deviceIds });
      }),
    noteDeviceSeen: async (seen) => lastSeen.note(seen),
  };
}

function toDevice(row: DeviceRow, userId: UserId, lastSeen: LastSeen): Device {
  const seen = lastSeen.peek(userId, row.device_id);
  const ip = seen?.ip ?? row.last_seen_ip;
  const ts = seen?.ts ?? row.last_seen_ts;
  return {
    deviceId: row.device_id,
    ...(row.display_name !== null && { displayName: row.display_name }),
    ...(ip !== null && { lastSeenIp: ip }),
    ...(ts !== null && { lastSeenTs: ts }),
  };
}

function rename(
  context: UserserverContext,
  request: Parameters<UserserverApi['performUpdateDevice']>[0],
): ReturnType<UserserverApi['performUpdateDevice']> {
  const { userId, deviceId, displayName } = request;
  return context.write(userId, async (tx) => {
    checkDeviceDisplayName(displayName);
    await lockAccount(tx, userId);
    if (!(await updateDisplayName(tx, { userId, deviceId, displayName }))) {
      throw new MatrixError('M_NOT_FOUND', 'No such device');
    }
    return deviceListChanges(tx, userId, [deviceId]);
  });
}
