// The keys of a server as it publishes them (Server-Server API, "Publishing Keys"), checked.

import type { KeyObject } from 'node:crypto';
import { decodeBase64 } from '../../protocol/base64.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import { importPublicKey, isSignedText, signedTextOfJson } from '../../protocol/signing.ts';

export interface ListedKey {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  /** ms since the epoch; absent where the key is in use. */
  readonly expiredTs?: number;
}

export interface ServerKeys {
  readonly server: ServerName;
  /** As it was signed. */
  readonly json: JsonObject;
  readonly validUntilTs: number;
  readonly keys: readonly ListedKey[];
}

/** Bounds what one server can make us check and keep. */
const MAX_KEYS = 32;
export const MAX_KEY_OBJECT_BYTES = 32_768;

/** More than the specification's alphabet: the ids are those of the first servers, too. */
const KEY_ID = /^ed25519:[\w.+/=-]{1,100}$/;

/** Undefined unless the object is the server's, and signed by each of the keys that it says are in use. */
export function checkKeyObject(json: JsonObject, server: ServerName): ServerKeys | undefined {
  const { server_name: name, valid_until_ts: validUntilTs } = json;
  const inUse = entriesOf(json.verify_keys);
  const old = entriesOf(json.old_verify_keys);
  if (name !== server || !isTimestamp(validUntilTs)) return undefined;
  if (inUse.length === 0 || inUse.length + old.length > MAX_KEYS) return undefined;
  const text = signedTextOfJson(json);
  const keys: ListedKey[] = [];
  for (const [keyId, value] of inUse) {
    const publicKey = publicKeyOf(value);
    if (publicKey === undefined) return undefined;
    if (!isSignedText(json, text, { entity: server, keyId, publicKey })) return undefined;
    keys.push({ keyId, publicKey });
  }
  return { server, json, validUntilTs, keys: [...keys, ...old.flatMap(oldKey)] };
}

/** Of a key object that has been checked before. */
export function listedKey(json: JsonObject, keyId: string): KeyObject | undefined {
  const all = [...entriesOf(json.verify_keys), ...entriesOf(json.old_verify_keys)];
  return publicKeyOf(all.find(([id]) => id === keyId)?.[1]);
}

/** One that is malformed is of no use, but spoils nothing. */
function oldKey([keyId, value]: [string, JsonValue | undefined]): ListedKey[] {
  const publicKey = publicKeyOf(value);
  const expiredTs = isJsonObject(value) ? value.expired_ts : undefined;
  return publicKey === undefined || !isTimestamp(expiredTs)
    ? []
    : [{ keyId, publicKey, expiredTs }];
}

/** Keys of other algorithms are passed over. */
function entriesOf(keys: JsonValue | undefined): [string, JsonValue | undefined][] {
  return isJsonObject(keys) ? Object.entries(keys).filter(([keyId]) => KEY_ID.test(keyId)) : [];
}

function publicKeyOf(value: JsonValue | undefined): KeyObject | undefined {
  const bytes = isJsonObject(value) ? decodeBase64(value.key) : undefined;
  return bytes === undefined ? undefined : importPublicKey(bytes);
}

function isTimestamp(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
