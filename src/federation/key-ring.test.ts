import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import type { JsonObject } from '../protocol/json.ts';
import { signJson } from '../protocol/signing.ts';
import { generateSigningKey } from '../protocol/signing-key.ts';
import { DAY, HOUR, NOTARY, OLD_KEY, openWorld, published, THERE, text } from './keys/testing.ts';
import { HERE, HERE_KEY } from './testing.ts';

forEachBackend('the key ring', (backend) => {
  test('knows its own key without asking', async () => {
    const { ring, asked } = await openWorld(backend);
    const own = await ring.key({ server: HERE, keyId: HERE_KEY.keyId, validAt: 9e15 });
    assert.equal(text(own), HERE_KEY.publicKey);
    assert.equal(await ring.key({ server: HERE, keyId: 'ed25519:other' }), undefined);
    assert.deepEqual(await ring.keyObjects({ server: HERE, keyIds: [] }), []);
    assert.equal(asked.length, 0);
  });

  test('knows the keys that it has given up, for what was signed until then', async () => {
    const { ring, asked } = await openWorld(backend);
    const at = (validAt?: number) =>
      ring.key({ server: HERE, keyId: OLD_KEY.keyId, ...(validAt !== undefined && { validAt }) });
    assert.equal(text(await at()), OLD_KEY.publicKey);
    assert.equal(text(await at(OLD_KEY.expiredTs)), OLD_KEY.publicKey);
    assert.equal(await at(OLD_KEY.expiredTs + 1), undefined);
    assert.equal(asked.length, 0);
  });

  test('asks a server once for all who want its keys, and keeps them', async () => {
    const { ring, asked, answers, clock, restart } = await openWorld(backend);
    const keys = [generateSigningKey(), generateSigningKey()];
    const gate = Promise.withResolvers<void>();
    answers.set(THERE, async () => {
      await gate.promise;
      return published({ inUse: keys, validUntil: clock.now() + DAY });
    });
    const wanted = keys.flatMap(({ keyId }) => [keyId, keyId]);
    const found = Promise.all(wanted.map((keyId) => ring.key({ server: THERE, keyId })));
    gate.resolve();
    const expected = keys.flatMap(({ publicKey }) => [publicKey, publicKey]);
    assert.deepEqual((await found).map(text), expected);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      [asked[0]?.method, asked[0]?.path, asked[0]?.signed],
      ['GET', '/_matrix/key/v2/server', false],
    );
    answers.clear();
    const later = await restart();
    const again = await later.key({ server: THERE, keyId: keys[1]?.keyId ?? '' });
    assert.equal(text(again), keys[1]?.publicKey);
    assert.equal(asked.length, 1);
  });

  for (const [stated, kept] of [
    [DAY, DAY],
    [30 * DAY, 7 * DAY],
  ] as const) {
    test(`a key of ${stated / DAY} days is valid for ${kept / DAY}; then it is asked for anew`, async () => {
      const { ring, asked, answers, clock } = await openWorld(backend);
      const key = generateSigningKey();
      const start = clock.now();
      answers.set(THERE, () => published({ inUse: [key], validUntil: start + stated }));
      const at = (validAt: number) => ring.key({ server: THERE, keyId: key.keyId, validAt });
      assert.equal(text(await at(start + kept)), key.publicKey);
      assert.equal(asked.length, 1);
      assert.equal(await at(start + kept + 1), undefined);
      clock.advance(kept + 1);
      answers.set(THERE, () => published({ inUse: [key], validUntil: clock.now() + HOUR }));
      assert.equal(text(await at(clock.now())), key.publicKey);
      assert.equal(text(await ring.key({ server: THERE, keyId: key.keyId })), key.publicKey);
    });
  }

  test('an old key is valid until it expired', async () => {
    const { ring, asked, answers, clock } = await openWorld(backend);
    const [key, old] = [generateSigningKey(), generateSigningKey()];
    const expiredTs = clock.now() - DAY;
    answers.set(THERE, () =>
      published({ inUse: [key], old: [{ key: old, expiredTs }], validUntil: clock.now() + DAY }),
    );
    const at = (validAt?: number) =>
      ring.key({ server: THERE, keyId: old.keyId, ...(validAt !== undefined && { validAt }) });
    assert.equal(text(await at(expiredTs)), old.publicKey);
    assert.equal(text(await at()), old.publicKey);
    assert.equal(asked.length, 1);
    assert.equal(await at(expiredTs + 1), undefined);
  });

  test('what is not there is not asked for again and again, by anybody', async () => {
    const { ring, asked, answers, clock } = await openWorld(backend);
    const wanted = { server: THERE, keyId: 'ed25519:none' };
    answers.set(THERE, () => published({ inUse: [generateSigningKey()], validUntil: 9e14 }));
    for (let i = 0; i < 100; i++) {
      await ring.key({ ...wanted, keyId: `ed25519:${i}` });
      await ring.key({ ...wanted, validAt: 9e15 });
      await ring.keyObjects({ server: THERE, keyIds: [`ed25519:${i}`] });
    }
    assert.equal(asked.length, 1);
    clock.advance(DAY);
    for (let minute = 0; minute < 60; minute++) {
      await ring.key(wanted);
      clock.advance(60_000);
    }
    assert.ok(asked.length > 10 && asked.length < 20, `${asked.length} requests`);
    const key = generateSigningKey();
    answers.set(THERE, () => published({ inUse: [key], validUntil: 9e14 }));
    clock.advance(300_000);
    assert.equal(text(await ring.key({ server: THERE, keyId: key.keyId })), key.publicKey);
  });

  test('who asks for keys with other demands is answered by what there is', async () => {
    const { ring, asked, answers, clock } = await openWorld(backend);
    const key = generateSigningKey();
    const validUntil = clock.now() - DAY;
    const object = published({ inUse: [key], validUntil });
    answers.set(THERE, () => object);
    const at = (minimumValidUntil: number) =>
      ring.keyObjects({ server: THERE, keyIds: [key.keyId], minimumValidUntil });
    assert.deepEqual(await at(0), [object]);
    assert.equal(asked.length, 1);
    // It may have a new one; where it has none, or another key altogether, what was known is given.
    assert.deepEqual(await at(validUntil + 1), [object]);
    answers.set(THERE, () => published({ inUse: [generateSigningKey()], validUntil }));
    assert.deepEqual(await at(validUntil + 1), [object]);
    assert.equal(asked.length, 3);
    for (let i = 0; i < 10; i++) assert.deepEqual(await at(validUntil + 1), [object]);
    assert.equal(asked.length, 4);
    clock.advance(DAY);
    assert.deepEqual(await at(validUntil), [object]);
    assert.equal(asked.length, 4);
  });

  test('a server that comes back is asked again soon', async () => {
    const { ring, answers, clock } = await openWorld(backend);
    const key = generateSigningKey();
    assert.equal(await ring.key({ server: THERE, keyId: key.keyId }), undefined);
    answers.set(THERE, () => published({ inUse: [key], validUntil: 9e14 }));
    assert.equal(await ring.key({ server: THERE, keyId: key.keyId }), undefined);
    clock.advance(5000);
    assert.equal(text(await ring.key({ server: THERE, keyId: key.keyId })), key.publicKey);
  });

  test('key objects that are not signed by all of their keys count for nothing', async () => {
    const [key, other] = [generateSigningKey(), generateSigningKey()];
    const good = published({ inUse: [key], validUntil: 9e14 });
    const both = published({ inUse: [key, other], validUntil: 9e14 });
    const signatures = (both.signatures as JsonObject)[THERE] as JsonObject;
    const many = Object.fromEntries(
      Array.from({ length: 33 }, (_, i) => [`ed25519:${i}`, { key: key.publicKey, expired_ts: 1 }]),
    );
    const wrong: JsonObject[] = [
      {},
      { ...good, server_name: NOTARY },
      { ...good, valid_until_ts: 9e14 + 1 },
      { ...good, valid_until_ts: '9' },
      { ...good, signatures: {} },
      { ...good, verify_keys: {} },
      { ...both, signatures: { [THERE]: { [key.keyId]: signatures[key.keyId] } } },
      signJson({ ...good, old_verify_keys: many }, THERE, key),
      signJson({ ...good, verify_keys: { [key.keyId]: { key: 'AAAA' } } }, THERE, key),
      published({ server: NOTARY, inUse: [key], validUntil: 9e14 }),
    ];
    const { ring, answers, clock } = await openWorld(backend);
    for (const json of wrong) {
      // Who has answered in vain is not asked again at once.
      clock.advance(DAY);
      answers.set(THERE, () => json);
      assert.equal(await ring.key({ server: THERE, keyId: key.keyId }), undefined);
      assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [] }), []);
    }
  });

  test('old keys that are malformed and keys of other kinds spoil nothing', async () => {
    const { ring, answers } = await openWorld(backend);
    const key = generateSigningKey();
    const { signatures: _, ...rest } = published({ inUse: [key], validUntil: 9e14 });
    const verify = { ...(rest.verify_keys as JsonObject), 'rsa:1': { key: 'x' } };
    const old = { 'ed25519:1': 5, 'ed25519:2': { key: 'AAAA', expired_ts: 1 }, 'x\0': {} };
    const json = { ...rest, verify_keys: verify, old_verify_keys: old, extra: { n: 1 } };
    answers.set(THERE, () => signJson(json, THERE, key));
    assert.equal(text(await ring.key({ server: THERE, keyId: key.keyId })), key.publicKey);
    assert.equal(await ring.key({ server: THERE, keyId: 'ed25519:1' }), undefined);
    const objects = await ring.keyObjects({ server: THERE, keyIds: [] });
    assert.deepEqual(objects, [signJson(json, THERE, key)]);
  });

  test('key objects are given as they were signed, and refreshed after half of their life', async () => {
    const { ring, answers, asked, clock } = await openWorld(backend);
    const [first, second] = [generateSigningKey(), generateSigningKey()];
    const one = published({ inUse: [first], validUntil: clock.now() + DAY });
    answers.set(THERE, () => one);
    assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [] }), [one]);
    assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [first.keyId] }), [one]);
    assert.equal(asked.length, 1);
    clock.advance(13 * HOUR);
    const two = published({ inUse: [second], validUntil: clock.now() + DAY });
    answers.set(THERE, () => two);
    assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [] }), [two, one]);
    assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [first.keyId] }), [one]);
    assert.equal(asked.length, 2);
    answers.clear();
    clock.advance(10 * DAY);
    const wanted = { server: THERE, keyIds: [second.keyId], minimumValidUntil: clock.now() };
    assert.deepEqual(await ring.keyObjects(wanted), [two]);
    assert.equal(asked.length, 3);
  });

  test('a server with ever new keys fills no database', async () => {
    const { ring, answers, clock } = await openWorld(backend);
    for (let round = 0; round < 4; round++) {
      const inUse = Array.from({ length: 30 }, () => generateSigningKey());
      answers.set(THERE, () => published({ inUse, validUntil: 9e14 + round }));
      const key = await ring.key({ server: THERE, keyId: inUse[0]?.keyId ?? '' });
      assert.equal(text(key), inUse[0]?.publicKey);
      clock.advance(HOUR);
    }
    assert.equal((await ring.keyObjects({ server: THERE, keyIds: [] })).length, 3);
  });
});
