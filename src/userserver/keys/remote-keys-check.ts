// Keys as another server has told them: only what it was asked for, and only what says itself whose it is.

import { type DeviceId, isDeviceId, type UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import { MAX_KEY_BYTES, publicKeyOf } from './key-checks.ts';
import type { CrossSigningUsage, WantedKeys } from './keys-api.ts';
import { onlyDevices, type VisibleDevice, type VisibleKeys } from './visible-keys.ts';

const MAX_DEVICES = 2_000;
const MAX_NAME_LENGTH = 512;

/** Of the answer of `POST /user/keys/query`. Users of whom nothing is said are left out. */
export function checkedKeys(body: JsonObject, wanted: WantedKeys): Map<UserId, VisibleKeys> {
  const found = new Map<UserId, VisibleKeys>();
  for (const [id, deviceIds] of Object.entries(wanted)) {
    const userId = id as UserId;
    const devices = memberOf(body.device_keys, userId);
    const crossSigning = {
      ...crossSigningKey(memberOf(body.master_keys, userId), userId, 'master'),
      ...crossSigningKey(memberOf(body.self_signing_keys, userId), userId, 'self_signing'),
    };
    if (!isJsonObject(devices) && Object.keys(crossSigning).length === 0) continue;
    const keys = { devices: checkedDevices(devices, userId), crossSigning };
    found.set(userId, onlyDevices(keys, deviceIds));
  }
  return found;
}

function checkedDevices(
  devices: JsonValue | undefined,
  userId: UserId,
): Map<DeviceId, VisibleDevice> {
  const found = new Map<DeviceId, VisibleDevice>();
  for (const [deviceId, json] of Object.entries(isJsonObject(devices) ? devices : {})) {
    if (found.size >= MAX_DEVICES) break;
    const keys = deviceKeysOf(json, userId, deviceId);
    if (keys === undefined) continue;
    const unsigned = isJsonObject(json) ? json.unsigned : undefined;
    const name = isJsonObject(unsigned) ? unsigned.device_display_name : undefined;
    found.set(deviceId as DeviceId, { keys, displayName: displayNameOf(name) });
  }
  return found;
}

/** Without `unsigned`. */
export function deviceKeysOf(
  json: JsonValue | undefined,
  userId: UserId,
  deviceId: string,
): JsonObject | undefined {
  if (!isDeviceId(deviceId) || !isJsonObject(json) || !isJsonObject(json.keys)) return undefined;
  if (json.user_id !== userId || json.device_id !== deviceId) return undefined;
  const { unsigned: _unsigned, ...keys } = json;
  return isTooLarge(keys) ? undefined : keys;
}

/** No key of a user here is. */
function isTooLarge(key: JsonObject): boolean {
  return JSON.stringify(key).length > MAX_KEY_BYTES;
}

export function displayNameOf(name: JsonValue | undefined): string | undefined {
  return typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH).toWellFormed() : undefined;
}

export function crossSigningKey(
  json: JsonValue | undefined,
  userId: UserId,
  usage: CrossSigningUsage,
): Partial<Record<CrossSigningUsage, JsonObject>> {
  if (!isJsonObject(json) || json.user_id !== userId || publicKeyOf(json) === undefined) return {};
  if (!Array.isArray(json.usage) || !json.usage.includes(usage)) return {};
  return isTooLarge(json) ? {} : { [usage]: json };
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
