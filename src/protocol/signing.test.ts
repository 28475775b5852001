import assert from 'node:assert/strict';
import { test } from 'node:test';
import vectors from '../../test/vectors/signing.json' with { type: 'json' };
import { decodeBase64, encodeBase64 } from './base64.ts';
import type { PduJson } from './events/pdu.ts';
import { contentHashOf, isContentHashValid } from './hashing.ts';
import type { ServerName } from './identifiers.ts';
import { type JsonObject, parseJsonExactly } from './json.ts';
import { rulesOf } from './roomversions/table.ts';
import {
  importPublicKey,
  isSignedJson,
  isSignedPdu,
  signingKeyIds,
  signJson,
  signPdu,
} from './signing.ts';
import { generateSigningKey, parseSigningKey } from './signing-key.ts';

const serverName = vectors.serverName as ServerName;
const key = parseSigningKey(`ed25519 1 ${vectors.seed}`);
const publicKey = decodeBase64(key.publicKey) ?? new Uint8Array();
const signer = { entity: serverName, keyId: key.keyId, publicKey };
const v1 = rulesOf('1');

const vectorObjects: { object: JsonObject; signature: string }[] = vectors.json;
for (const { object, signature } of vectorObjects) {
  test(`signs the specification's object ${JSON.stringify(object)}`, () => {
    const signed = signJson({ ...object, unsigned: { age: 1 } }, serverName, key);
    assert.deepEqual(signed.signatures, { domain: { 'ed25519:1': signature } });
    assert.deepEqual(signed.unsigned, { age: 1 });
    assert.equal(isSignedJson(signed, signer), true);
  });
}

for (const { event, contentHash, signature } of vectors.events) {
  test(`hashes and signs the specification's event of type ${event.type}`, () => {
    // The second event is abridged: it has no depth, prev_events and auth_events.
    const json = event as unknown as PduJson;
    assert.equal(contentHashOf(json, v1), contentHash);
    const hashed = { ...json, hashes: { sha256: contentHash } };
    const signed = signPdu(hashed, v1, { serverName, key });
    assert.deepEqual(signed.signatures, { domain: { 'ed25519:1': signature } });
    assert.equal(isContentHashValid(signed, v1), true);
    assert.equal(isSignedPdu(signed, v1, signer), true);
  });
}

const signed = signJson({ a: 1 }, serverName, key);
const signature = (signed.signatures[serverName] as JsonObject)[key.keyId] as string;
const withSignature = (text: unknown) =>
  ({ a: 1, signatures: { [serverName]: { [key.keyId]: text } } }) as JsonObject;

test('signatures may be padded, keys may be imported ahead', () => {
  assert.equal(isSignedJson(withSignature(`${signature}==`), signer), true);
  const imported = importPublicKey(publicKey);
  assert.ok(imported);
  assert.equal(isSignedJson(signed, { ...signer, publicKey: imported }), true);
});

test('a signature covers everything but signatures and unsigned', () => {
  assert.equal(isSignedJson({ ...signed, unsigned: { b: 2 } }, signer), true);
  assert.equal(isSignedJson({ ...signed, a: 2 }, signer), false);
  assert.equal(isSignedJson({ ...signed, b: 1 }, signer), false);
});

test('malformed signatures and keys are false, never an exception', () => {
  const texts = ['', 'a', '!', signature.slice(1), `${signature}AAAA`, `A${signature.slice(1)}`];
  for (const text of [...texts, 1, null, [], {}, `${signature}===`, signature.replace(/./, ' ')]) {
    assert.equal(isSignedJson(withSignature(text), signer), false, String(text));
  }
  for (const signatures of [undefined, null, 1, [], {}, { domain: 1 }, { domain: null }]) {
    assert.equal(isSignedJson({ a: 1, signatures } as JsonObject, signer), false);
  }
  for (const bytes of [new Uint8Array(), new Uint8Array(31), new Uint8Array(32)]) {
    assert.equal(isSignedJson(signed, { ...signer, publicKey: bytes }), false);
  }
  const inherited = { ...signer, entity: 'constructor', keyId: 'name' };
  assert.equal(isSignedJson(signed, inherited), false);
  assert.equal(isSignedJson(signed, { ...signer, entity: 'domain:8448' }), false);
  assert.equal(isSignedJson(signed, { ...signer, keyId: 'ed25519:2' }), false);
});

test('signatures of others stay, keys of unknown algorithms are not listed', () => {
  const other = generateSigningKey();
  const twice = signJson(signJson(signed, 'b' as ServerName, other), serverName, other);
  assert.equal(isSignedJson(twice, signer), true);
  assert.deepEqual(signingKeyIds(twice, serverName), [key.keyId, other.keyId]);
  assert.deepEqual(signingKeyIds({ signatures: { a: { 'rsa:1': 'x', 'ed25519:a': 'y' } } }, 'a'), [
    'ed25519:a',
  ]);
  assert.deepEqual(signingKeyIds({}, 'a'), []);
});

test('objects with inexact numbers are signed by their source text', () => {
  const object = parseJsonExactly('{"a":1.0,"b":1e400}') as JsonObject;
  const received = parseJsonExactly(JSON.stringify(signJson(object, serverName, key)));
  assert.equal(isSignedJson(received as JsonObject, signer), true);
});

test('a key file is read back', () => {
  const made = generateSigningKey();
  assert.match(made.fileText, /^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}$/);
  for (const text of [made.fileText, `\n${made.fileText}\r\n`, `${made.fileText}=\nanother`]) {
    const read = parseSigningKey(text);
    assert.equal(read.keyId, made.keyId);
    assert.equal(read.publicKey, made.publicKey);
  }
  assert.match(made.keyId, /^ed25519:a_/);
});

test('a bad key file is refused without showing it', () => {
  for (const text of [
    '',
    'ed25519',
    'rsa a b',
    'ed25519 a_1 secret',
    `ed25519 a:b ${vectors.seed}`,
  ]) {
    assert.throws(
      () => parseSigningKey(text),
      (error: Error) => !error.message.includes('secret') && /signing key/.test(error.message),
    );
  }
});

test('base64 of the specification', () => {
  const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'];
  const encoded = ['', 'Zg', 'Zm8', 'Zm9v', 'Zm9vYg', 'Zm9vYmE', 'Zm9vYmFy'];
  for (const [i, text] of texts.entries()) {
    assert.equal(encodeBase64(Buffer.from(text)), encoded[i]);
    assert.equal(Buffer.from(decodeBase64(encoded[i]) ?? []).toString(), text);
  }
  assert.equal(Buffer.from(decodeBase64('Zg==') ?? []).toString(), 'f');
  for (const bad of ['Z', 'Zm9vY', 'Z g', 'Z-', 'Z_', '=', 'Zm9v====', 1, undefined]) {
    assert.equal(bad === '=' ? undefined : decodeBase64(bad), undefined, String(bad));
  }
});
