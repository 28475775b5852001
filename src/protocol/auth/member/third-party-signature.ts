// Whether the identity server that stored a third-party invite has signed its redemption
// (Server-Server API, "Verifying the invite").

import type { KeyObject } from 'node:crypto';
import { decodeBase64 } from '../../base64.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts';
import { importPublicKey, isSignedText, signedTextOfJson, signingKeyIds } from '../../signing.ts';

/**
 * A verification takes a tenth of a millisecond, and an event has room for thousands of keys and
 * signatures. Real ones have two keys and one signature.
 */
const MAX_KEYS = 8;
const MAX_SIGNATURES = 8;

/** Whether any signature in `signed` is by any key in `content` of the m.room.third_party_invite. */
export function isSignedByInvite(signed: JsonObject, content: JsonObject): boolean {
  const keys = publicKeys(content);
  if (keys.length === 0) return false;
  const text = signedTextOfJson(signed);
  return signatures(signed).some(({ entity, keyId }) =>
    keys.some((publicKey) => isSignedText(signed, text, { entity, keyId, publicKey })),
  );
}

/** Sorted, since the order of an object's keys differs between servers and the bound must not. */
function signatures(signed: JsonObject): { readonly entity: string; readonly keyId: string }[] {
  if (!isJsonObject(signed.signatures)) return [];
  return Object.keys(signed.signatures)
    .sort()
    .flatMap((entity) =>
      signingKeyIds(signed, entity)
        .toSorted()
        .map((keyId) => ({ entity, keyId })),
    )
    .slice(0, MAX_SIGNATURES);
}

function publicKeys(content: JsonObject): KeyObject[] {
  const listed: readonly JsonValue[] = Array.isArray(content.public_keys)
    ? content.public_keys
    : [];
  const texts = listed.map((entry) => (isJsonObject(entry) ? entry.public_key : undefined));
  return [content.public_key, ...texts]
    .slice(0, MAX_KEYS)
    .map(readKey)
    .filter((key) => key !== undefined);
}

/** Standard or URL-safe base64. */
function readKey(text: JsonValue | undefined): KeyObject | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  return bytes === undefined ? undefined : importPublicKey(bytes);
}
