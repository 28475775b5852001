// Keys of local users as somebody may see them: with the signatures that users may see of each other (Client-Server API,
// "Key and signature security").

import type { Queryable } from '../../database/database.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { selectCrossSigningKeys } from '../store/cross-signing-keys.ts';
import { selectDeviceKeys } from '../store/device-keys.ts';
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
  const devices = await selectDeviceKeys(db, userIds);
  const crossSigning = await selectCrossSigningKeys(db, userIds);
  const signatures = await selectVisibleSignatures(db, userIds, viewer);
  const found = new Map<UserId, VisibleKeys>();
  for (const userId of new Set([...devices, ...crossSigning].map((row) => row.user_id))) {
    const ofUser = signatures.filter((row) => row.target_user_id === userId);
    const signed = (keyId: string, json: string) =>
      signedKey(
        parseKeyText(json),
        ofUser.filter((row) => row.target_key_id === keyId),
      );
    const own = devices.filter((row) => row.user_id === userId);
    const cross = crossSigning.filter(
      (row) => row.user_id === userId && (row.usage !== 'user_signing' || viewer === userId),
    );
    found.set(userId, {
      devices: new Map(
        own.map((row) => [
          row.device_id,
          {
            keys: signed(row.device_id, row.keys),
            displayName: row.display_name ?? undefined,
          },
        ]),
      ),
      crossSigning: Object.fromEntries(
        cross.map((row) => [row.usage, signed(row.public_key, row.key)]),
      ),
    });
  }
  return found;
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
  const devices = [...keys.devices].filter(([deviceId]) => wanted.includes(deviceId));
  return { ...keys, devices: new Map(devices) };
}
