import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPdu } from './events/build.ts';
import { MAX_EVENT_BYTES } from './events/limits.ts';
import type { Pdu } from './events/pdu.ts';
import { isContentHashValid, referenceHashOf } from './hashing.ts';
import type { RoomId, ServerName, UserId } from './identifiers.ts';
import type { JsonObject } from './json.ts';
import {
  isPolicyEvent,
  isSignedByPolicyServer,
  POLICY_SERVER_KEY_ID,
  readPolicyServer,
  withPolicySignature,
} from './policy-server.ts';
import { rulesOf } from './roomversions/table.ts';
import { isSignedPdu, signPdu } from './signing.ts';
import { generateSigningKey } from './signing-key.ts';

const RULES = rulesOf('11');
const NAME = 'policy.test' as ServerName;
const key = { ...generateSigningKey(), keyId: POLICY_SERVER_KEY_ID };
const policyServer = { name: NAME, publicKey: key.publicKey };
const own = generateSigningKey();

function message(body = 'hello', serverName: ServerName = NAME): Pdu {
  return buildPdu({
    rules: RULES,
    roomId: '!room:policy.test' as RoomId,
    sender: `@user:${serverName}` as UserId,
    type: 'm.room.message',
    content: { body },
    prevEvents: ['$before' as never],
    authEvents: [],
    depth: 2,
    originServerTs: 1,
    serverName,
    signingKey: own,
  });
}

function answerTo({ json }: Pdu, by = key): JsonObject {
  const signed = signPdu({ ...json, signatures: {} }, RULES, { serverName: NAME, key: by });
  return signed.signatures as JsonObject;
}

test('a room names a policy server by its name and a key', () => {
  const content = { via: NAME, public_keys: { ed25519: 'abc' } };
  assert.deepEqual(readPolicyServer(content), { name: NAME, publicKey: 'abc' });
  for (const wrong of [
    undefined,
    {},
    { ...content, via: 7 },
    { via: NAME },
    { ...content, public_keys: 'abc' },
    { ...content, public_keys: { ed25519: 7 } },
    { ...content, public_keys: { rsa: 'abc' } },
  ]) {
    assert.equal(readPolicyServer(wrong), undefined);
  }
});

test('m.room.policy with an empty state key alone needs no signature', () => {
  assert.ok(isPolicyEvent({ type: 'm.room.policy', stateKey: '' }));
  assert.ok(!isPolicyEvent({ type: 'm.room.policy', stateKey: 'a' }));
  assert.ok(!isPolicyEvent({ type: 'm.room.policy', stateKey: undefined }));
  assert.ok(!isPolicyEvent({ type: 'm.room.name', stateKey: '' }));
});

test('its signature stands beside that of the server of the same name', () => {
  const pdu = message();
  assert.ok(!isSignedByPolicyServer(pdu, policyServer));
  const signed = withPolicySignature(pdu, policyServer, answerTo(pdu));
  assert.ok(signed !== undefined && isSignedByPolicyServer(signed, policyServer));
  const { keyId, publicKey } = own;
  const raw = Buffer.from(publicKey, 'base64');
  assert.ok(isSignedPdu(signed.json, RULES, { entity: NAME, keyId, publicKey: raw }));
});

test('its signature is no part of hashes', () => {
  const pdu = message();
  const { json } = withPolicySignature(pdu, policyServer, answerTo(pdu)) ?? {};
  assert.ok(json !== undefined && isContentHashValid(json, RULES));
  assert.equal(referenceHashOf(json, RULES), referenceHashOf(pdu.json, RULES));
});

test('a key in the URL-safe alphabet is a key', () => {
  const pdu = message();
  const publicKey = Buffer.from(key.publicKey, 'base64').toString('base64url');
  assert.ok(withPolicySignature(pdu, { name: NAME, publicKey }, answerTo(pdu)) !== undefined);
});

test('what is no signature of it is none', () => {
  const pdu = message();
  const right = answerTo(pdu)[NAME] as JsonObject;
  const answers = [
    {},
    { [NAME]: null },
    { [NAME]: {} },
    { [NAME]: { [POLICY_SERVER_KEY_ID]: 7 } },
    { [NAME]: { 'ed25519:1': right[POLICY_SERVER_KEY_ID] } },
    { 'other.test': right },
    answerTo(message('other')),
    answerTo(pdu, { ...generateSigningKey(), keyId: POLICY_SERVER_KEY_ID }),
  ] as JsonObject[];
  for (const answer of answers) {
    assert.equal(withPolicySignature(pdu, policyServer, answer), undefined);
  }
  for (const publicKey of ['', 'AAAA', '*', key.publicKey.slice(1)]) {
    const other = { name: NAME, publicKey };
    assert.equal(withPolicySignature(pdu, other, answerTo(pdu)), undefined);
  }
});

test('an event that is too large with it is refused', () => {
  const empty = Buffer.byteLength(JSON.stringify(message('').json));
  const pdu = message('x'.repeat(MAX_EVENT_BYTES - empty - 10));
  const sign = () => withPolicySignature(pdu, policyServer, answerTo(pdu));
  assert.throws(sign, { errcode: 'M_TOO_LARGE' });
});
