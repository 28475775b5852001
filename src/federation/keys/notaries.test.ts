import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { signJson } from '../../protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../../protocol/signing-key.ts';
import { HERE } from '../testing.ts';
import { DAY, HOUR, NOTARY, openWorld, published, THERE, text, type World } from './testing.ts';

forEachBackend('what notaries say of keys', (backend) => {
  test('notaries are asked where the server is silent, and vouch by their signature', async () => {
    const { ring, answers, asked, clock } = await openWorld(backend);
    const [key, notaryKey, stranger] = [1, 2, 3].map(() => generateSigningKey()) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const object = published({ inUse: [key], validUntil: clock.now() + DAY });
    const forged = published({ inUse: [stranger], validUntil: clock.now() + DAY });
    let answer: JsonObject[] = [];
    answers.set(NOTARY, ({ path }) =>
      path.endsWith('/server')
        ? published({ server: NOTARY, inUse: [notaryKey], validUntil: 9e14 })
        : { server_keys: answer },
    );
    const find = (keyId = key.keyId) =>
      ring.key({ server: THERE, keyId, validAt: clock.now(), notaries: [THERE, HERE, NOTARY] });
    for (answer of [
      [object],
      [signJson(object, NOTARY, stranger)],
      [signJson({ ...object, valid_until_ts: 9e14 }, NOTARY, notaryKey)],
      [signJson({ ...forged, signatures: {} }, NOTARY, notaryKey)],
    ]) {
      assert.equal(await find(), undefined);
      clock.advance(HOUR);
    }
    const validAt = clock.now();
    answer = [signJson(object, NOTARY, notaryKey)];
    assert.equal(text(await find()), key.publicKey);
    assert.deepEqual(asked.findLast(({ method }) => method === 'POST')?.body, {
      server_keys: { [THERE]: { [key.keyId]: { minimum_valid_until_ts: validAt } } },
    });
    const count = asked.length;
    assert.equal(text(await find()), key.publicKey);
    assert.equal(await find(stranger.keyId), undefined);
    assert.equal(await find(stranger.keyId), undefined);
    assert.ok(asked.length - count <= 2, 'a notary is asked in vain but once');
  });

  test('keys that many servers lack are asked of a notary together', async () => {
    const { ring, answers, asked } = await openWorld(backend);
    const notaryKey = generateSigningKey();
    const servers = Array.from({ length: 50 }, (_, i) => `s${i}.example` as ServerName);
    const keys = new Map(servers.map((server) => [server, generateSigningKey()]));
    answers.set(NOTARY, async ({ path, body }) => {
      if (path.endsWith('/server')) {
        return published({ server: NOTARY, inUse: [notaryKey], validUntil: 9e14 });
      }
      // Long enough for others to come meanwhile, as over any network.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const wanted = Object.keys(body?.server_keys as JsonObject) as ServerName[];
      const objects = wanted.map((server) =>
        published({ server, inUse: [keys.get(server) as SigningKey], validUntil: 9e14 }),
      );
      return { server_keys: objects.map((object) => signJson(object, NOTARY, notaryKey)) };
    });
    const found = await Promise.all(
      [...keys].map(([server, { keyId }]) => ring.key({ server, keyId, notaries: [NOTARY] })),
    );
    assert.deepEqual(
      found.map(text),
      [...keys.values()].map(({ publicKey }) => publicKey),
    );
    const queries = asked.filter(({ method }) => method === 'POST');
    assert.ok(queries.length <= 10, `${queries.length} queries`);
  });

  test('a notary does not bring back what the server has given up', async () => {
    const { ring, answers, clock } = await openWorld(backend);
    const [key, old, notaryKey] = [1, 2, 3].map(() => generateSigningKey()) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const expiredTs = clock.now() - DAY;
    const before = published({ inUse: [old], validUntil: clock.now() + DAY });
    answers.set(NOTARY, ({ path }) =>
      path.endsWith('/server')
        ? published({ server: NOTARY, inUse: [notaryKey], validUntil: 9e14 })
        : { server_keys: [signJson(before, NOTARY, notaryKey)] },
    );
    answers.set(THERE, () =>
      published({ inUse: [key], old: [{ key: old, expiredTs }], validUntil: clock.now() + DAY }),
    );
    const request = { server: THERE, keyId: old.keyId, notaries: [NOTARY] };
    assert.equal(text(await ring.key({ ...request, validAt: expiredTs })), old.publicKey);
    assert.equal(await ring.key({ ...request, validAt: clock.now() }), undefined);
    assert.equal(await ring.key({ ...request, validAt: clock.now() }), undefined);
  });

  /** The notary says of THERE whatever it likes: as it may, and as a liar does. */
  function vouching(answers: World['answers'], name: ServerName) {
    const notaryKey = generateSigningKey();
    const said: JsonObject[] = [];
    answers.set(name, ({ path }) =>
      path.endsWith('/server')
        ? published({ server: name, inUse: [notaryKey], validUntil: 9e14 })
        : { server_keys: said.map((object) => signJson(object, name, notaryKey)) },
    );
    return said;
  }

  test('servers whose keys are waited for, of events or for others, keep no request waiting', async () => {
    const { ring, answers } = await openWorld(backend);
    const gate = Promise.withResolvers<never>();
    const silent = Array.from({ length: 200 }, (_, n) => `t${n}.example` as ServerName);
    for (const server of silent) answers.set(server, () => gate.promise);
    const waiting = silent.flatMap((server) => [
      ring.key({ server, keyId: 'ed25519:1', notaries: [NOTARY] }),
      ring.keyObjects({ server, keyIds: [] }),
    ]);
    const key = generateSigningKey();
    answers.set(THERE, () => published({ inUse: [key], validUntil: 9e14 }));
    const found = await Promise.race([
      ring.key({ server: THERE, keyId: key.keyId }),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 2_000)),
    ]);
    gate.reject(new Error('over'));
    await Promise.all(waiting);
    assert.equal(text(found), key.publicKey);
  });

  test('no notary is believed of a server that speaks for itself, or has', async () => {
    const { ring, answers, clock } = await openWorld(backend);
    const [own, next, forged] = [1, 2, 3].map(() => generateSigningKey()) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const said = vouching(answers, NOTARY);
    const find = ({ keyId }: SigningKey) =>
      ring.key({ server: THERE, keyId, validAt: clock.now(), notaries: [NOTARY] });
    answers.set(THERE, () => published({ inUse: [own], validUntil: clock.now() + DAY }));
    said.push(published({ inUse: [forged], validUntil: 9e14 }));
    assert.equal(await find(forged), undefined);
    assert.equal(text(await find(own)), own.publicKey);
    answers.delete(THERE);
    clock.advance(8 * DAY);
    assert.equal(await find(forged), undefined);
    assert.equal(await find(own), undefined);
    // What a key of its own has signed is its own word, whoever brings it.
    clock.advance(HOUR);
    said.push(published({ inUse: [own, next], validUntil: 9e14 }));
    assert.equal(text(await find(own)), own.publicKey);
    assert.equal(text(await find(next)), next.publicKey);
  });

  test('of a server that cannot be reached the first notary is believed, and no other', async () => {
    const { ring, answers, clock } = await openWorld(backend);
    const [own, older, forged] = [1, 2, 3].map(() => generateSigningKey()) as [
      SigningKey,
      SigningKey,
      SigningKey,
    ];
    const liar = 'liar.example' as ServerName;
    vouching(answers, liar).push(published({ inUse: [forged], validUntil: 9e14 }));
    const said = vouching(answers, NOTARY);
    said.push(published({ inUse: [own], validUntil: 9e14 }));
    said.push(published({ inUse: [older], validUntil: 9e14 }));
    const find = ({ keyId }: SigningKey, notary = NOTARY) =>
      ring.key({ server: THERE, keyId, notaries: [notary] });
    assert.equal(text(await find(own)), own.publicKey);
    assert.equal(text(await find(older)), older.publicKey);
    assert.equal(await find(forged, liar), undefined);
    assert.equal(text(await find(own, liar)), own.publicKey);
    // The server itself has the last word.
    clock.advance(HOUR);
    const now = generateSigningKey();
    answers.set(THERE, () => published({ inUse: [now], validUntil: 9e14 }));
    assert.equal(text(await find(now)), now.publicKey);
    assert.equal(await find(own), undefined);
  });

  test('what only a notary says speaks for nobody who asks or is asked about', async () => {
    const { ring, answers } = await openWorld(backend);
    const key = generateSigningKey();
    vouching(answers, NOTARY).push(published({ inUse: [key], validUntil: 9e14 }));
    const { keyId } = key;
    assert.equal(text(await ring.key({ server: THERE, keyId, notaries: [NOTARY] })), key.publicKey);
    assert.equal(await ring.key({ server: THERE, keyId }), undefined);
    assert.deepEqual(await ring.keyObjects({ server: THERE, keyIds: [keyId] }), []);
  });
});
