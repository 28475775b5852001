import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import { ManualClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { encodeBase64 } from '../protocol/base64.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { signJson } from '../protocol/signing.ts';
import { generateSigningKey, type SigningKey } from '../protocol/signing-key.ts';
import type { FederationRequest, KeyRing } from './api.ts';
import { FederationError } from './federation-error.ts';
import { createKeyRing } from './key-ring.ts';
import { HERE, HERE_KEY } from './testing.ts';

const THERE = 'there.example' as ServerName;
const NOTARY = 'notary.example' as ServerName;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Published {
  readonly server?: ServerName;
  readonly inUse: readonly SigningKey[];
  readonly old?: readonly { readonly key: SigningKey; readonly expiredTs: number }[];
  readonly validUntil: number;
}

function published({ server = THERE, inUse, old = [], validUntil }: Published): JsonObject {
  const json = {
    server_name: server,
    verify_keys: Object.fromEntries(inUse.map((key) => [key.keyId, { key: key.publicKey }])),
    old_verify_keys: Object.fromEntries(
      old.map(({ key, expiredTs }) => [key.keyId, { key: key.publicKey, expired_ts: expiredTs }]),
    ),
    valid_until_ts: validUntil,
  };
  return inUse.reduce<JsonObject>((signed, key) => signJson(signed, server, key), json);
}

type Answer = (request: FederationRequest) => JsonObject | Promise<JsonObject>;

interface World {
  readonly clock: ManualClock;
  readonly asked: FederationRequest[];
  readonly ring: KeyRing;
  /** What servers answer; those that have no answer are unreachable. */
  readonly answers: Map<ServerName, Answer>;
  /** A ring with an empty memory on the same database. */
  restart(): Promise<KeyRing>;
}

async function openWorld(backend: Backend): Promise<World> {
  const clock = new ManualClock();
  const asked: FederationRequest[] = [];
  const answers = new Map<ServerName, Answer>();
  const client = {
    request: async (request: FederationRequest) => {
      asked.push(request);
      const answer = answers.get(request.destination);
      if (answer !== undefined) return answer(request);
      throw new FederationError('unreachable', request.destination, { message: 'not there' });
    },
  };
  const database = await backend.open();
  const restart = () =>
    createKeyRing({
      ...{ client, database, clock, logger: silentLogger },
      ...{ serverName: HERE, signingKey: HERE_KEY },
    });
  return { clock, asked, answers, ring: await restart(), restart };
}

const text = (key: KeyObject | undefined) =>
  key === undefined ? undefined : encodeBase64(key.export({ format: 'raw-public' }));

forEachBackend('the key ring', (backend) => {
  test('knows its own key without asking', async () => {
    const { ring, asked } = await openWorld(backend);
    const own = await ring.key({ server: HERE, keyId: HERE_KEY.keyId, validAt: 9e15 });
    assert.equal(text(own), HERE_KEY.publicKey);
    assert.equal(await ring.key({ server: HERE, keyId: 'ed25519:other' }), undefined);
    assert.deepEqual(await ring.keyObjects({ server: HERE, keyIds: [] }), []);
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
