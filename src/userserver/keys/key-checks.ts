// What uploaded keys have to look like, and how they are kept.

import { decodeBase64 } from '../../protocol/base64.ts';
import { encodeCanonicalJson } from '../../protocol/canonical-json.ts';
import { MatrixError } from '../../protocol/error.ts';
import { type DeviceId, isIdentifierText, type UserId } from '../../protocol/identifiers.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJsonExactly,
} from '../../protocol/json.ts';
import type { OneTimeKey } from '../store/one-time-keys.ts';
import type { CrossSigningUsage } from './keys-api.ts';

/** Keys are passed on to everybody who shares a room with their owner. */
export const MAX_KEY_BYTES = 64 * 1024;
const MAX_ONE_TIME_KEYS = 1_000;

export const ED25519 = 'ed25519:';

/** Equal keys have equal texts. Throws M_TOO_LARGE. */
export function keyText(key: JsonValue): string {
  const text = encodeCanonicalJson(key, { strict: false });
  if (text.length > MAX_KEY_BYTES) throw new MatrixError('M_TOO_LARGE', 'A key is too large');
  return text;
}

export function parseKeyText(text: string): JsonObject {
  return parseJsonExactly(text) as JsonObject;
}

/** The device's keys with no signatures but its own, and without `unsigned`. Throws M_INVALID_PARAM. */
export function checkDeviceKeys(
  keys: JsonObject,
  { userId, deviceId }: { readonly userId: UserId; readonly deviceId: DeviceId },
): JsonObject {
  if (keys.user_id !== userId || keys.device_id !== deviceId) {
    throw invalid('device_keys are of another user or device');
  }
  return withSignatures(keys, userId, ownSignatures(keys, userId, deviceId));
}

function ownSignatures(keys: JsonObject, userId: UserId, deviceId: DeviceId): JsonObject {
  const own = Object.entries(signaturesBy(keys, userId));
  return Object.fromEntries(own.filter(([keyId]) => keyId.endsWith(`:${deviceId}`)));
}

export function signaturesBy({ signatures }: JsonObject, userId: UserId): JsonObject {
  if (!isJsonObject(signatures) || !Object.hasOwn(signatures, userId)) return {};
  const by = signatures[userId];
  return isJsonObject(by) ? by : {};
}

/** A copy that is signed by the user with these and by nobody else, without `unsigned`. */
export function withSignatures(
  key: JsonObject,
  userId: UserId,
  signatures: JsonObject,
): JsonObject {
  const { signatures: _signatures, unsigned: _unsigned, ...rest } = key;
  if (Object.keys(signatures).length === 0) return rest;
  return { ...rest, signatures: { [userId]: signatures } };
}

/** From `algorithm:keyId`. Throws M_INVALID_PARAM, M_TOO_LARGE. */
export function checkOneTimeKeys(keys: JsonObject): OneTimeKey[] {
  const entries = Object.entries(keys);
  if (entries.length > MAX_ONE_TIME_KEYS) {
    const message = `At most ${MAX_ONE_TIME_KEYS} one-time keys are uploaded at a time`;
    throw new MatrixError('M_TOO_LARGE', message);
  }
  return entries.map(([name, key]) => {
    const colon = name.indexOf(':');
    const isNamed = colon > 0 && colon < name.length - 1 && isIdentifierText(name);
    if (!isNamed || !isKeyValue(key)) throw invalid(`${name.slice(0, 40)} is no one-time key`);
    return { algorithm: name.slice(0, colon), keyId: name.slice(colon + 1), key: keyText(key) };
  });
}

function isKeyValue(key: JsonValue | undefined): key is string | JsonObject {
  return typeof key === 'string' || (isJsonObject(key) && typeof key.key === 'string');
}

export interface CrossSigningKey {
  readonly usage: CrossSigningUsage;
  /** Unpadded base64. */
  readonly publicKey: string;
  readonly json: JsonObject;
}

/** Throws M_INVALID_PARAM. */
export function checkCrossSigningKey(
  json: JsonObject,
  { userId, usage }: { readonly userId: UserId; readonly usage: CrossSigningUsage },
): CrossSigningKey {
  const publicKey = publicKeyOf(json);
  if (json.user_id !== userId) throw invalid(`The ${usage} key is of another user`);
  if (!Array.isArray(json.usage) || !json.usage.includes(usage)) {
    throw invalid(`The usage of the ${usage} key is another`);
  }
  if (publicKey === undefined) throw invalid(`The ${usage} key has not one Ed25519 key`);
  return { usage, publicKey, json };
}

/** Undefined unless there is exactly one Ed25519 key, under its own name. */
export function publicKeyOf({ keys }: JsonObject): string | undefined {
  const [entry, ...others] = isJsonObject(keys) ? Object.entries(keys) : [];
  if (entry === undefined || others.length > 0) return undefined;
  const [keyId, publicKey] = entry;
  if (typeof publicKey !== 'string' || keyId !== ED25519 + publicKey) return undefined;
  return decodeBase64(publicKey)?.length === 32 ? publicKey : undefined;
}

function invalid(message: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', message);
}
