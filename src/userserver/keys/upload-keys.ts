// POST /keys/upload: the identity keys of a device, and keys with which others begin to write to it.

import type { Transaction } from '../../database/database.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { signedTextOfJson } from '../../protocol/signing.ts';
import type { UserserverContext } from '../context.ts';
import type { UserChange } from '../output.ts';
import { lockAccount } from '../store/accounts.ts';
import { selectKeysOfDevice, upsertDeviceKeys } from '../store/device-keys.ts';
import { selectDevice } from '../store/devices.ts';
import { deleteSignaturesOf } from '../store/key-signatures.ts';
import {
  type OneTimeKey,
  type OwnerOfKeys,
  selectFallbackKeyCount,
  selectOneTimeKeyCounts,
  selectOneTimeKeys,
  upsertFallbackKey,
  upsertOneTimeKeys,
} from '../store/one-time-keys.ts';
import { deviceListChanges } from './device-list-changes.ts';
import { checkDeviceKeys, checkOneTimeKeys, keyText, parseKeyText } from './key-checks.ts';
import type { KeyCountCache } from './key-counts.ts';
import type { KeysApi } from './keys-api.ts';

/** Clients keep some fifty. */
const MAX_KEPT = 5_000;
/** One for each algorithm; clients know two or three. */
const MAX_FALLBACK_KEYS = 100;

export async function uploadKeys(
  context: UserserverContext,
  counts: KeyCountCache,
  request: Parameters<KeysApi['performUploadKeys']>[0],
): ReturnType<KeysApi['performUploadKeys']> {
  const { userId, deviceId, deviceKeys } = request;
  const owner = { userId, deviceId };
  const identity = deviceKeys && checkDeviceKeys(deviceKeys, owner);
  const oneTimeKeys = checkOneTimeKeys(request.oneTimeKeys);
  const fallbackKeys = checkOneTimeKeys(request.fallbackKeys);
  const written = await context.write(userId, async (tx) => {
    await lockAccount(tx, userId);
    if ((await selectDevice(tx, userId, deviceId)) === undefined) {
      throw new MatrixError('M_NOT_FOUND', 'The device is gone');
    }
    counts.forgetAfterCommit(tx, owner);
    if (oneTimeKeys.length > 0) await storeOneTimeKeys(tx, owner, oneTimeKeys);
    if (fallbackKeys.length > 0) await storeFallbackKeys(tx, owner, fallbackKeys);
    return identity === undefined ? [] : await storeDeviceKeys(tx, owner, identity);
  });
  return { ...written, counts: await counts.get(owner) };
}

/** Throws M_INVALID_PARAM for a key that is there with another value: somebody may have been given that one. */
async function storeOneTimeKeys(
  tx: Transaction,
  owner: OwnerOfKeys,
  keys: readonly OneTimeKey[],
): Promise<void> {
  const ids = keys.map(({ keyId }) => keyId);
  const stored = new Map(
    (await selectOneTimeKeys(tx, owner, ids)).map((key) => [nameOf(key), key]),
  );
  const others = keys.filter((key) => stored.get(nameOf(key))?.key !== key.key);
  for (const key of others) {
    if (stored.get(nameOf(key))?.isGivenOut === false) {
      const message = `There is another one-time key ${nameOf(key)}`;
      throw new MatrixError('M_INVALID_PARAM', message);
    }
  }
  if (others.length > 0) await upsertOneTimeKeys(tx, owner, others);
  const counts = await selectOneTimeKeyCounts(tx, owner);
  if (counts.reduce((sum, { count }) => sum + count, 0) > MAX_KEPT) {
    throw new MatrixError('M_TOO_LARGE', `A device has at most ${MAX_KEPT} one-time keys`);
  }
}

async function storeFallbackKeys(
  tx: Transaction,
  owner: OwnerOfKeys,
  keys: readonly OneTimeKey[],
): Promise<void> {
  for (const key of keys) await upsertFallbackKey(tx, owner, key);
  if ((await selectFallbackKeyCount(tx, owner)) > MAX_FALLBACK_KEYS) {
    throw new MatrixError('M_TOO_LARGE', `A device has at most ${MAX_FALLBACK_KEYS} fallback keys`);
  }
}

function nameOf({ algorithm, keyId }: OneTimeKey): string {
  return `${algorithm}:${keyId}`;
}

function isSameSigned(one: JsonObject, other: JsonObject): boolean {
  return signedTextOfJson(one) === signedTextOfJson(other);
}

/** What has signed the old keys has not signed the new ones. */
async function storeDeviceKeys(
  tx: Transaction,
  { userId, deviceId }: OwnerOfKeys,
  identity: JsonObject,
): Promise<UserChange[]> {
  const keys = keyText(identity);
  const stored = await selectKeysOfDevice(tx, userId, deviceId);
  if (stored?.keys === keys) return [];
  await upsertDeviceKeys(tx, { userId, deviceId, keys });
  if (stored !== undefined && !isSameSigned(parseKeyText(stored.keys), identity)) {
    await deleteSignaturesOf(tx, userId, [deviceId]);
  }
  return deviceListChanges(tx, userId, [deviceId]);
}
