// Ed25519 signatures of JSON and of events (appendices, "Signing JSON").

import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import type { PduJson } from './events/pdu.ts';
import { signedTextOf } from './hashing.ts';
import type { ServerName } from './identifiers.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { RoomVersionRules } from './roomversions/room-version.ts';
import type { SigningKey } from './signing-key.ts';

/** Objects on the wire may carry events of room versions 1 to 5, so that any number is taken. */
const LENIENT = { strict: false };

/** A copy of the object with our signature added to `signatures`. `unsigned` is kept and not signed. */
export function signJson<T extends JsonObject>(
  object: T,
  serverName: ServerName,
  key: SigningKey,
): T & { signatures: JsonObject } {
  return addSignature(object, serverName, { key, text: signedTextOfJson(object) });
}

/** Signs what redaction leaves of the event, whose `hashes` must be there already. */
export function signPdu(
  json: PduJson,
  rules: RoomVersionRules,
  by: { readonly serverName: ServerName; readonly key: SigningKey },
): PduJson {
  return addSignature(json, by.serverName, { key: by.key, text: signedTextOf(json, rules) });
}

function addSignature<T extends JsonObject>(
  object: T,
  serverName: ServerName,
  { key, text }: { readonly key: SigningKey; readonly text: string },
): T & { signatures: JsonObject } {
  const others = isJsonObject(object.signatures) ? object.signatures : {};
  const ours = isJsonObject(others[serverName]) ? others[serverName] : {};
  const signed = { ...ours, [key.keyId]: signText(text, key) };
  return { ...object, signatures: { ...others, [serverName]: signed } };
}

/** The signature of a text's UTF-8 bytes in unpadded base64. */
export function signText(text: string, key: SigningKey): string {
  return encodeBase64(sign(null, Buffer.from(text), key.privateKey));
}

/** The text that signatures of an object are made of: all but `signatures` and `unsigned`. */
export function signedTextOfJson(object: JsonObject): string {
  return encodeCanonicalJson({ ...object, signatures: undefined, unsigned: undefined }, LENIENT);
}

/** The Ed25519 key ids under which an entity has signed, whether validly or not. */
export function signingKeyIds(object: JsonObject, entity: string): readonly string[] {
  const signatures = isJsonObject(object.signatures) ? object.signatures : {};
  const byEntity = Object.hasOwn(signatures, entity) ? signatures[entity] : undefined;
  if (!isJsonObject(byEntity)) return [];
  return Object.keys(byEntity).filter((id) => id.startsWith('ed25519:'));
}

/** What a signature is checked against; the public key as raw 32 bytes or as made by `importPublicKey`. */
export interface Signer {
  readonly entity: string;
  readonly keyId: string;
  readonly publicKey: KeyObject | Uint8Array;
}

export function isSignedJson(object: JsonObject, signer: Signer): boolean {
  return isSignedText(object, signedTextOfJson(object), signer);
}

export function isSignedPdu(json: PduJson, rules: RoomVersionRules, signer: Signer): boolean {
  return isSignedText(json, signedTextOf(json, rules), signer);
}

/** Whether `object.signatures` holds the signer's valid signature of the text. Anything malformed is false. */
export function isSignedText(object: JsonObject, text: string, signer: Signer): boolean {
  if (!signingKeyIds(object, signer.entity).includes(signer.keyId)) return false;
  const byEntity = (object.signatures as JsonObject)[signer.entity] as JsonObject;
  const signature = decodeBase64(byEntity[signer.keyId]);
  const key =
    signer.publicKey instanceof Uint8Array ? importPublicKey(signer.publicKey) : signer.publicKey;
  if (signature?.length !== 64 || key === undefined) return false;
  return verify(null, Buffer.from(text), key, signature);
}

/** A raw Ed25519 public key; undefined when the bytes are none. */
export function importPublicKey(bytes: Uint8Array): KeyObject | undefined {
  if (bytes.length !== 32) return undefined;
  return createPublicKey({
    key: Buffer.from(bytes),
    format: 'raw-public',
    asymmetricKeyType: 'ed25519',
  });
}
