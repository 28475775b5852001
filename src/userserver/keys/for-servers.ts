// Keys of local users as other servers may have them.

import { MatrixError } from '../../protocol/error.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { selectDeviceListStream } from '../store/device-keys.ts';
import { byServer } from './by-server.ts';
import { claimLocalKeys } from './claim-keys.ts';
import type { WantedKeys, WantedOneTimeKeys } from './keys-api.ts';
import { bodyOf, localKeys } from './query-keys.ts';
import { NO_KEYS, visibleKeys } from './visible-keys.ts';

export async function keysForServer(
  context: UserserverContext,
  wanted: WantedKeys,
): Promise<JsonObject> {
  const { local } = byServer(wanted, context.serverName);
  const { user_signing_keys: _none, ...body } = bodyOf(await localKeys(context, local, undefined));
  return body;
}

export async function claimForServer(
  context: UserserverContext,
  wanted: WantedOneTimeKeys,
): Promise<JsonObject> {
  const { local } = byServer(wanted, context.serverName);
  return { one_time_keys: await claimLocalKeys(context, context.keyCounts, local) };
}

/** Devices without keys cannot be written to, and the answer has no form for them. */
export async function devicesForServer(
  { database }: UserserverContext,
  userId: UserId,
): Promise<JsonObject> {
  // First: what changes after that is announced by a later number.
  const streamId = await selectDeviceListStream(database, userId);
  if (streamId === undefined) throw new MatrixError('M_NOT_FOUND', 'No such user');
  const found = await visibleKeys(database, [userId], undefined);
  const { devices, crossSigning } = found.get(userId) ?? NO_KEYS;
  const { master, self_signing: selfSigning } = crossSigning;
  return {
    user_id: userId,
    stream_id: streamId,
    devices: [...devices].map(([deviceId, { keys, displayName }]) => ({
      device_id: deviceId,
      keys,
      ...(displayName !== undefined && { device_display_name: displayName }),
    })),
    ...(master !== undefined && { master_key: master }),
    ...(selfSigning !== undefined && { self_signing_key: selfSigning }),
  };
}
