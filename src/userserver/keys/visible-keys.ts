// Keys of local users as somebody may see them: with the signatures that users may see of each other (Client-Server API,
// "Key and signature security").

import type { Queryable } from '../../database/database.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { type CrossSigningKeyRow, selectCrossSigningKeys } from '../store/cross-signing-keys.ts';
import { type DeviceKeysRow, selectDeviceKeys } from '../store/device-keys.ts';
import { type KeySignatureRow, selectVisibleSignatures } from '../store/key-signatures.ts';
import { parseKeyText } from './key-checks.ts';
import type { CrossSigningUsage } from './keys-api.ts';

export interface VisibleDevice {
  readonly keys: JsonObject;
  readonly displayName: string | undefined;
}

export interface VisibleKeys {
  readonly devices: ReadonlyMap<DeviceId, VisibleDevice>;
  /** The user-signing key is its owner's alone. */
  readonly crossSigning: Readonly<Partial<Record<CrossSigningUsage, JsonObject>>>;
}

export const NO_KEYS: VisibleKeys = { devices: new Map(), crossSigning: {} };

/** `viewer` undefined: another server. Users without keys are left out. */
export async function visibleKeys(
  db: Queryable,
  userIds: readonly UserId[],
  viewer: UserId | undefined,
): Promise<ReadonlyMap<UserId, VisibleKeys>> {
  if (userIds.length === 0) return new Map();
  const devices = Map.groupBy(await selectDeviceKeys(db, userIds), ofUser);
  const crossSigning = Map.groupBy(await selectCrossSigningKeys(db, userIds), ofUser);
  const signatures = Map.groupBy(
    await selectVisibleSignatures(db, userIds, viewer),
    (row) => row.target_user_id,
  );
  const found = new Map<UserId, VisibleKeys>();
  for (const userId of new Set([...devices.keys(), ...crossSigning.keys()])) {
    const cross = crossSigning.get(userId) ?? [];
    const keys = {
      devices: devices.get(userId) ?? [],
      crossSigning: cross.filter(({ usage }) => usage !== 'user_signing' || viewer === userId),
      signatures: signatures.get(userId) ?? [],
    };
    found.set(userId, keysOfUser(keys));
  }
  return found;
}

function ofUser(row: { readonly user_id: UserId }): UserId {
  return row.user_id;
}

interface KeyRows {
  readonly devices: readonly DeviceKeysRow[];
  readonly crossSigning: readonly CrossSigningKeyRow[];
  readonly signatures: readonly KeySignatureRow[];
}

function keysOfUser({ devices, crossSigning, signatures }: KeyRows): VisibleKeys {
  const ofKey = Map.groupBy(signatures, (row) => row.target_key_id);
  const signed = (keyId: string, json: string) =>
    signedKey(parseKeyText(json), ofKey.get(keyId) ?? []);
  return {
    devices: new Map(
      devices.map(({ device_id, keys, display_name }) => [
        device_id,
        { keys: signed(device_id, keys), displayName: display_name ?? undefined },
      ]),
    ),
    crossSigning: Object.fromEntries(
      crossSigning.map((row) => [row.usage, signed(row.public_key, row.key)]),
    ),
  };
}

export function signedKey(key: JsonObject, added: readonly KeySignatureRow[]): JsonObject {
  if (added.length === 0) return key;
  const signatures: Record<string, JsonObject> = {};
  for (const [userId, by] of Object.entries(isJsonObject(key.signatures) ? key.signatures : {})) {
    if (isJsonObject(by)) signatures[userId] = by;
  }
  for (const { signer_user_id, signer_key_id, signature } of added) {
    signatures[signer_user_id] = { ...signatures[signer_user_id], [signer_key_id]: signature };
  }
  return { ...key, signatures };
}

export function onlyDevices(keys: VisibleKeys, wanted: readonly DeviceId[] = []): VisibleKeys {
  if (wanted.length === 0) return keys;
  const isWanted = new Set(wanted);
  const devices = [...keys.devices].filter(([deviceId]) => isWanted.has(deviceId));
  return { ...keys, devices: new Map(devices) };
}
