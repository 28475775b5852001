// POST /keys/signatures/upload: what a user has signed with her self-signing key (devices of hers), with a device (her
// master key), or with her user-signing key (master keys of others).

import type { Queryable, Transaction } from '../../database/database.ts';
import { type Errcode, MatrixError } from '../../protocol/error.ts';
import { type DeviceId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { signedTextOfJson } from '../../protocol/signing.ts';
import type { UserserverContext } from '../context.ts';
import type { UserChange } from '../output.ts';
import { lockAccount } from '../store/accounts.ts';
import { type CrossSigningKeyRow, selectCrossSigningKeys } from '../store/cross-signing-keys.ts';
import { selectKeysOfDevice } from '../store/device-keys.ts';
import { type KeySignatureRow, upsertKeySignatures } from '../store/key-signatures.ts';
import { selectRemoteMasterKey } from '../store/remote-device-lists.ts';
import { devicePublicKeys, isSignedBy } from './cross-signing.ts';
import { deviceListChanges, signingKeysChange } from './device-list-changes.ts';
import { ED25519, parseKeyText, publicKeyOf, signaturesBy } from './key-checks.ts';
import type { CrossSigningUsage, KeysApi, SignedKeys } from './keys-api.ts';

const MAX_SIGNED = 1_000;

/** A key of somebody with the signatures to be added. */
interface Signed {
  readonly targetUserId: UserId;
  readonly keyId: string;
  readonly json: JsonObject;
}

interface Outcome {
  readonly rows: KeySignatureRow[];
  readonly failures: Record<UserId, Record<string, JsonObject>>;
}

export async function uploadSignatures(
  context: UserserverContext,
  { userId, signed }: Parameters<KeysApi['performUploadSignatures']>[0],
): ReturnType<KeysApi['performUploadSignatures']> {
  const all = signedOf(signed);
  let failures: Outcome['failures'] = {};
  const written = await context.write(userId, async (tx) => {
    await lockAccount(tx, userId);
    const outcome = await checkAll(tx, userId, { context, all });
    failures = outcome.failures;
    await upsertKeySignatures(tx, outcome.rows);
    return await changesOf(tx, userId, outcome.rows);
  });
  return { ...written, failures };
}

function signedOf(signed: SignedKeys): Signed[] {
  const all = Object.entries(signed).flatMap(([targetUserId, keys]) =>
    Object.entries(keys as Record<string, JsonObject>).map(([keyId, json]) => ({
      targetUserId: targetUserId as UserId,
      keyId,
      json,
    })),
  );
  if (all.length <= MAX_SIGNED) return all;
  throw new MatrixError('M_TOO_LARGE', `At most ${MAX_SIGNED} keys are signed at a time`);
}

async function checkAll(
  tx: Transaction,
  userId: UserId,
  { context, all }: { readonly context: UserserverContext; readonly all: readonly Signed[] },
): Promise<Outcome> {
  const signer = await signerOf(tx, userId);
  const outcome: Outcome = { rows: [], failures: {} };
  for (const one of all) {
    const checked = await checkOne(tx, context, { signer, one });
    if (Array.isArray(checked)) {
      outcome.rows.push(...checked);
    } else {
      const ofUser = outcome.failures[one.targetUserId] ?? {};
      outcome.failures[one.targetUserId] = { ...ofUser, [one.keyId]: checked as JsonObject };
    }
  }
  return outcome;
}

interface SigningUser {
  readonly userId: UserId;
  readonly crossSigning: ReadonlyMap<CrossSigningUsage, CrossSigningKeyRow>;
  /** By key id. */
  readonly devices: ReadonlyMap<string, unknown>;
}

async function signerOf(db: Queryable, userId: UserId): Promise<SigningUser> {
  const rows = await selectCrossSigningKeys(db, [userId]);
  const crossSigning = new Map(rows.map((row) => [row.usage, row]));
  return { userId, crossSigning, devices: await devicePublicKeys(db, userId) };
}

/** The signatures, all valid; or an error. */
async function checkOne(
  tx: Transaction,
  context: UserserverContext,
  { signer, one }: { readonly signer: SigningUser; readonly one: Signed },
): Promise<KeySignatureRow[] | JsonObject> {
  const known = await knownKey(tx, context, one);
  if (known === undefined) return failure('M_NOT_FOUND', 'There is no such key');
  if (signedTextOfJson(known) !== signedTextOfJson(one.json)) {
    return failure('M_INVALID_SIGNATURE', 'The signed key is not the one that is there');
  }
  const allowed = allowedSigners(signer, one, known);
  const signatures = Object.entries(signaturesBy(one.json, signer.userId));
  // Clients send the key with the signatures that they have found.
  const added = signatures.filter(([keyId]) => allowed.has(keyId));
  if (added.length === 0) {
    return failure('M_INVALID_SIGNATURE', 'There is no signature by a key that may sign this one');
  }
  const isValid = added.every(([keyId]) =>
    isSignedBy(one.json, { entity: signer.userId, keyId, publicKey: allowed.get(keyId) }),
  );
  if (!isValid) return failure('M_INVALID_SIGNATURE', 'A signature is not valid');
  return added.map(([keyId, signature]) => ({
    target_user_id: one.targetUserId,
    target_key_id: one.keyId,
    signer_user_id: signer.userId,
    signer_key_id: keyId,
    signature: String(signature),
  }));
}

/** A device's keys or a master key, as the owner has uploaded it. */
async function knownKey(
  tx: Transaction,
  { serverName }: UserserverContext,
  { targetUserId, keyId }: Signed,
): Promise<JsonObject | undefined> {
  if (serverNameOf(targetUserId) !== serverName) {
    const remote = await selectRemoteMasterKey(tx, targetUserId);
    const key = remote === undefined ? undefined : parseKeyText(remote);
    return key !== undefined && publicKeyOf(key) === keyId ? key : undefined;
  }
  const crossSigning = await selectCrossSigningKeys(tx, [targetUserId]);
  const master = crossSigning.find((row) => row.usage === 'master' && row.public_key === keyId);
  if (master !== undefined) return parseKeyText(master.key);
  const device = await selectKeysOfDevice(tx, targetUserId, keyId as DeviceId);
  return device && parseKeyText(device.keys);
}

/** Public keys by key id. */
function allowedSigners(
  { userId, crossSigning, devices }: SigningUser,
  { targetUserId, keyId }: Signed,
  known: JsonObject,
): ReadonlyMap<string, unknown> {
  const isMaster = publicKeyOf(known) === keyId;
  if (targetUserId === userId && isMaster) return devices;
  if (targetUserId !== userId && !isMaster) return new Map();
  const by = crossSigning.get(targetUserId === userId ? 'self_signing' : 'user_signing');
  return new Map(by === undefined ? [] : [[ED25519 + by.public_key, by.public_key]]);
}

function failure(errcode: Errcode, error: string): JsonObject {
  return { errcode, error };
}

/** Who else sees each signature. */
async function changesOf(
  tx: Transaction,
  userId: UserId,
  added: readonly KeySignatureRow[],
): Promise<UserChange[]> {
  const own = added.filter((row) => row.target_user_id === userId);
  const masters: ReadonlySet<string> = new Set(
    (await selectCrossSigningKeys(tx, [userId])).map((row) => row.public_key),
  );
  const devices = new Set(
    own.map((row) => row.target_key_id).filter((keyId) => !masters.has(keyId)),
  );
  const others = new Set(added.map((row) => row.target_user_id).filter((id) => id !== userId));
  return [
    ...(await deviceListChanges(tx, userId, [...devices] as DeviceId[])),
    ...(own.some((row) => masters.has(row.target_key_id))
      ? [await signingKeysChange(tx, userId)]
      : []),
    ...(others.size > 0 ? [{ kind: 'KeysChangedForOne' as const, userIds: [...others] }] : []),
  ];
}
