// Policy servers: whom a room names as its own, and whether it has signed an event (Server-Server API, "Policy Servers").

import { decodeBase64 } from './base64.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import { checkEventSize } from './events/limits.ts';
import { Pdu } from './events/pdu.ts';
import type { ServerName } from './identifiers.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { rulesOf } from './roomversions/table.ts';
import { isSignedPdu } from './signing.ts';

/** Of its signatures, whatever key the room names: no server publishes one of this id. */
export const POLICY_SERVER_KEY_ID = 'ed25519:policy_server';

export interface PolicyServer {
  readonly name: ServerName;
  /** As the room has it: base64, of 32 bytes if it is any good. */
  readonly publicKey: string;
}

/** Of m.room.policy; undefined where it lacks what it has to have. Whether it is a server of the room is not looked at. */
export function readPolicyServer(content: JsonObject | undefined): PolicyServer | undefined {
  const via = content?.via;
  const keys = content?.public_keys;
  const publicKey = isJsonObject(keys) ? keys.ed25519 : undefined;
  if (typeof via !== 'string' || typeof publicKey !== 'string') return undefined;
  return { name: via as ServerName, publicKey };
}

/** By which a room names its policy server, or ends its service, without having to ask it. */
export function isPolicyEvent({ type, stateKey }: Pick<Pdu, 'type' | 'stateKey'>): boolean {
  return type === 'm.room.policy' && stateKey === '';
}

export function isSignedByPolicyServer(pdu: Pdu, { name, publicKey }: PolicyServer): boolean {
  const key = decodeKey(publicKey);
  if (key === undefined) return false;
  const signer = { entity: name, keyId: POLICY_SERVER_KEY_ID, publicKey: key };
  return isSignedPdu(pdu.json, rulesOf(pdu.roomVersion), signer);
}

/** The specification's own example is in the URL-safe alphabet. */
function decodeKey(text: string): Uint8Array | undefined {
  return decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
}

/**
 * The event with the signature of the policy server's answer beside those it has; undefined where there is none, or a wrong
 * one. Throws M_TOO_LARGE.
 */
export function withPolicySignature(
  { eventId, roomVersion, json }: Pdu,
  policyServer: PolicyServer,
  answer: JsonObject,
): Pdu | undefined {
  const { name } = policyServer;
  const signature = objectIn(answer, name)[POLICY_SERVER_KEY_ID];
  if (typeof signature !== 'string') return undefined;
  const signatures = objectIn(json, 'signatures');
  const own = { ...objectIn(signatures, name), [POLICY_SERVER_KEY_ID]: signature };
  const signedJson = { ...json, signatures: { ...signatures, [name]: own } };
  const signed = Pdu.from({ eventId, roomVersion, json: signedJson });
  if (!isSignedByPolicyServer(signed, policyServer)) return undefined;
  checkEventSize(
    encodeCanonicalJson(signedJson, { strict: rulesOf(roomVersion).strictCanonicalJson }),
  );
  return signed;
}

function objectIn(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : {};
}
