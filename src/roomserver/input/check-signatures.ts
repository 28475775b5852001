// Check 2: the event is signed by its sender's server, otherwise it is dropped (Server-Server API, "Validating hashes
// and signatures on received events"). What has to be verified is verified off the event loop where there is much of it.

import { type KeyObject, verify } from 'node:crypto';
import { decodeBase64 } from '../../protocol/base64.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import { signedTextOf } from '../../protocol/hashing.ts';
import {
  isUserId,
  type ServerName,
  serverNameOf,
  serverNameOfEventId,
} from '../../protocol/identifiers.ts';
import { isJsonObject } from '../../protocol/json.ts';
import { POLICY_SERVER_KEY_ID } from '../../protocol/policy-server.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { signingKeyIds } from '../../protocol/signing.ts';
import { type Dropped, dropped } from './checked-event.ts';
import type { KeyRing } from './key-ring.ts';

/** Bounds the work that one event can make. */
const MAX_KEYS_PER_SERVER = 5;

/** The servers among those that matter whose signature is valid; `Dropped` when one is missing that has to be there. */
export async function checkSignatures(
  pdu: Pdu,
  rules: RoomVersionRules,
  keyRing: KeyRing,
): Promise<ReadonlySet<ServerName> | Dropped> {
  const required = requiredSigners(pdu, rules);
  const text = Buffer.from(signedTextOf(pdu.json, rules));
  const signedBy = new Set<ServerName>();
  for (const server of new Set([...required, ...authorisingServer(pdu, rules)])) {
    const finding = await findSignature({ pdu, text, server, rules }, keyRing);
    if (finding === 'valid') signedBy.add(server);
    // Also of the authorising server: what is rejected for want of a key would stay rejected.
    else if (finding === 'unknown') {
      return dropped('key', `the keys of ${server} cannot be had`, pdu.eventId);
    } else if (required.has(server)) {
      return dropped('signature', `no valid signature of ${server}`, pdu.eventId);
    }
  }
  return signedBy;
}

/** Whether it is validly signed by a server whose signature is not asked for everywhere. */
export async function hasSignatureOf(
  server: ServerName,
  pdu: Pdu,
  { rules, keyRing }: { readonly rules: RoomVersionRules; readonly keyRing: KeyRing },
): Promise<boolean> {
  const text = Buffer.from(signedTextOf(pdu.json, rules));
  return (await findSignature({ pdu, text, server, rules }, keyRing)) === 'valid';
}

function requiredSigners(pdu: Pdu, rules: RoomVersionRules): Set<ServerName> {
  const required = new Set<ServerName>();
  if (!isThirdPartyInvite(pdu)) required.add(serverNameOf(pdu.sender));
  const maker = rules.eventFormat === 'v1' ? serverNameOfEventId(pdu.eventId) : undefined;
  if (maker !== undefined) required.add(maker);
  return required;
}

/** Whatever server sends it: that it was invited so is authorized by the signature within. */
function isThirdPartyInvite({ membership, content }: Pdu): boolean {
  return membership === 'invite' && isJsonObject(content.third_party_invite);
}

/** Asked for by the authorization rules. */
function authorisingServer(pdu: Pdu, rules: RoomVersionRules): ServerName[] {
  const userId = pdu.content.join_authorised_via_users_server;
  const isAuthorised = rules.restrictedJoins && pdu.membership === 'join' && isUserId(userId);
  return isAuthorised ? [serverNameOf(userId)] : [];
}

interface Claim {
  readonly pdu: Pdu;
  readonly text: Buffer;
  readonly server: ServerName;
  readonly rules: RoomVersionRules;
}

/** `unknown`: there are signatures, but none of the keys can be had. */
type Finding = 'valid' | 'wrong' | 'unknown';

/** Valid: by one key at least, and wrong by none; keys that cannot be had do not count, nor does what is signed as policy server. */
async function findSignature(
  { pdu, text, server, rules }: Claim,
  keyRing: KeyRing,
): Promise<Finding> {
  const keyIds = signingKeyIds(pdu.json, server).filter((id) => id !== POLICY_SERVER_KEY_ID);
  if (keyIds.length === 0 || keyIds.length > MAX_KEYS_PER_SERVER) return 'wrong';
  let finding: Finding = 'unknown';
  for (const keyId of keyIds) {
    const validAt = rules.enforceKeyValidity ? { validAt: pdu.originServerTs } : {};
    const key = await keyRing.key({ server, keyId, ...validAt });
    if (key === undefined) continue;
    const signatures = pdu.json.signatures?.[server];
    const signature = isJsonObject(signatures) ? decodeBase64(signatures[keyId]) : undefined;
    if (signature?.length !== 64 || !(await isValid(text, key, signature))) return 'wrong';
    finding = 'valid';
  }
  return finding;
}

function isValid(text: Buffer, key: KeyObject, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, text, key, signature, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}
