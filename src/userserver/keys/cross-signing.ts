// POST /keys/device_signing/upload: a user's cross-signing keys.

import type { Queryable, Transaction } from '../../database/database.ts';
import { decodeBase64 } from '../../protocol/base64.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { isSignedJson, signedTextOfJson } from '../../protocol/signing.ts';
import type { UserserverContext } from '../context.ts';
import type { UserChange } from '../output.ts';
import { lockAccount } from '../store/accounts.ts';
import {
  type CrossSigningKeyRow,
  deleteCrossSigningKeys,
  selectCrossSigningKeys,
  upsertCrossSigningKey,
} from '../store/cross-signing-keys.ts';
import { selectDeviceKeys } from '../store/device-keys.ts';
import { selectDevices } from '../store/devices.ts';
import { deleteSignaturesBy, deleteSignaturesOf } from '../store/key-signatures.ts';
import { signingKeysChange } from './device-list-changes.ts';
import {
  type CrossSigningKey,
  checkCrossSigningKey,
  ED25519,
  keyText,
  parseKeyText,
  signaturesBy,
  withSignatures,
} from './key-checks.ts';
import type { CrossSigningUpload, CrossSigningUsage, KeysApi } from './keys-api.ts';

const USAGES: readonly CrossSigningUsage[] = ['master', 'self_signing', 'user_signing'];

type Stored = ReadonlyMap<CrossSigningUsage, CrossSigningKeyRow>;

export async function queryCrossSigningUpload(
  { database }: UserserverContext,
  upload: CrossSigningUpload,
): Promise<{ readonly isAuthRequired: boolean }> {
  const { stored, keys } = await checkUpload(database, upload);
  return { isAuthRequired: isAuthRequired(keys, stored) };
}

export function uploadCrossSigningKeys(
  context: UserserverContext,
  upload: Parameters<KeysApi['performUploadCrossSigningKeys']>[0],
): ReturnType<KeysApi['performUploadCrossSigningKeys']> {
  return context.write(upload.userId, async (tx) => {
    await lockAccount(tx, upload.userId);
    const { stored, keys } = await checkUpload(tx, upload);
    if (!upload.isAuthenticated && isAuthRequired(keys, stored)) {
      throw new MatrixError('M_FORBIDDEN', 'There are other cross-signing keys by now');
    }
    return await store(tx, upload.userId, { keys, stored });
  });
}

/** Who has no keys may set them, and may say the same again; what is there is replaced only by who proves herself. */
function isAuthRequired(keys: readonly CrossSigningKey[], stored: Stored): boolean {
  if (!stored.has('master')) return false;
  return keys.some((key) => !isSame(key, stored.get(key.usage)));
}

/** But for signatures, which are valid or not by themselves. */
function isSame(key: CrossSigningKey, stored: CrossSigningKeyRow | undefined): boolean {
  if (stored === undefined) return false;
  return signedTextOfJson(parseKeyText(stored.key)) === signedTextOfJson(key.json);
}

async function checkUpload(
  db: Queryable,
  { userId, keys: uploaded }: CrossSigningUpload,
): Promise<{ readonly stored: Stored; readonly keys: readonly CrossSigningKey[] }> {
  const keys = USAGES.flatMap((usage) => {
    const json = uploaded[usage];
    return json === undefined ? [] : [checkCrossSigningKey(json, { userId, usage })];
  });
  const rows = await selectCrossSigningKeys(db, [userId]);
  const stored = new Map(rows.map((row) => [row.usage, row]));
  const master = keys.find(({ usage }) => usage === 'master')?.publicKey;
  const signer = master ?? stored.get('master')?.public_key;
  for (const key of keys) if (key.usage !== 'master') checkSigned(key, userId, signer);
  await checkNoDeviceIds(db, userId, keys);
  return { stored, keys };
}

function checkSigned(key: CrossSigningKey, userId: UserId, master: string | undefined): void {
  if (master === undefined) {
    throw new MatrixError('M_MISSING_PARAM', 'There is no master key');
  }
  if (!isSignedBy(key.json, { entity: userId, keyId: ED25519 + master, publicKey: master })) {
    const message = `The ${key.usage} key is not signed with the master key`;
    throw new MatrixError('M_INVALID_SIGNATURE', message);
  }
}

/** `publicKey` as it came, in base64. */
export function isSignedBy(
  json: JsonObject,
  {
    entity,
    keyId,
    publicKey,
  }: { readonly entity: UserId; readonly keyId: string; readonly publicKey: unknown },
): boolean {
  const bytes = decodeBase64(publicKey);
  return bytes !== undefined && isSignedJson(json, { entity, keyId, publicKey: bytes });
}

/** Key ids of devices and of cross-signing keys are of one namespace. */
async function checkNoDeviceIds(
  db: Queryable,
  userId: UserId,
  keys: readonly CrossSigningKey[],
): Promise<void> {
  const devices: ReadonlySet<string> = new Set(
    (await selectDevices(db, userId)).map((row) => row.device_id),
  );
  if (keys.some(({ publicKey }) => devices.has(publicKey))) {
    throw new MatrixError('M_FORBIDDEN', 'A device has the ID of this key');
  }
}

async function store(
  tx: Transaction,
  userId: UserId,
  { keys, stored }: { readonly keys: readonly CrossSigningKey[]; readonly stored: Stored },
): Promise<UserChange[]> {
  const changed: CrossSigningKey[] = [];
  for (const key of keys) {
    const before = stored.get(key.usage);
    const text = keyText(await withCheckedSignatures(tx, userId, { key, before }));
    if (before?.key === text) continue;
    changed.push(key);
    const { usage, publicKey: public_key } = key;
    await upsertCrossSigningKey(tx, { user_id: userId, usage, public_key, key: text });
  }
  const replaced = changed.filter(({ usage, publicKey }) => {
    const before = stored.get(usage)?.public_key;
    return before !== undefined && before !== publicKey;
  });
  await forgetReplaced(tx, userId, { keys, stored, replaced });
  if (changed.length === 0) return [];
  return changed.every(({ usage }) => usage === 'user_signing')
    ? [{ kind: 'KeysChangedForOne', userIds: [userId] }]
    : [await signingKeysChange(tx, userId)];
}

/** What the old keys have signed, and what has signed them; and keys that the old master key alone has signed. */
async function forgetReplaced(
  tx: Transaction,
  userId: UserId,
  {
    keys,
    stored,
    replaced,
  }: {
    readonly keys: readonly CrossSigningKey[];
    readonly stored: Stored;
    readonly replaced: readonly CrossSigningKey[];
  },
): Promise<void> {
  const isNewMaster = replaced.some(({ usage }) => usage === 'master');
  const orphans = USAGES.filter(
    (usage) => isNewMaster && stored.has(usage) && !keys.some((key) => key.usage === usage),
  );
  const usages = [...replaced.map(({ usage }) => usage), ...orphans];
  const ids = usages.flatMap((usage) => stored.get(usage)?.public_key ?? []);
  if (ids.length === 0) return;
  await deleteSignaturesOf(tx, userId, ids);
  await deleteSignaturesBy(
    tx,
    userId,
    ids.map((id) => ED25519 + id),
  );
  if (orphans.length > 0) await deleteCrossSigningKeys(tx, userId, orphans);
}

/**
 * Master keys may be signed by the user's devices, the others are by the master key. Nothing else is kept. What had signed the
 * same key before has signed it still.
 */
async function withCheckedSignatures(
  tx: Transaction,
  userId: UserId,
  { key, before }: { key: CrossSigningKey; before: CrossSigningKeyRow | undefined },
): Promise<JsonObject> {
  const { usage, json } = key;
  if (usage !== 'master') return withSignatures(json, userId, signaturesBy(json, userId));
  const isAgain = before !== undefined && isSame(key, before);
  const earlier = isAgain ? signaturesBy(parseKeyText(before.key), userId) : {};
  const devices = await devicePublicKeys(tx, userId);
  const valid = Object.entries(signaturesBy(json, userId)).filter(([keyId]) =>
    isSignedBy(json, { entity: userId, keyId, publicKey: devices.get(keyId) }),
  );
  return withSignatures(json, userId, { ...earlier, ...Object.fromEntries(valid) });
}

/** By key id, `ed25519:` included. */
export async function devicePublicKeys(
  db: Queryable,
  userId: UserId,
): Promise<ReadonlyMap<string, unknown>> {
  const devices = await selectDeviceKeys(db, [userId]);
  return new Map(
    devices.map(({ device_id, keys }) => {
      const keyId = ED25519 + device_id;
      const ofDevice = parseKeyText(keys).keys as JsonObject | undefined;
      return [keyId, ofDevice?.[keyId]];
    }),
  );
}
