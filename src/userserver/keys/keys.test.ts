import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDevice } from '../../../test/e2e-keys.ts';
import { sql } from '../../database/sql.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { forEachBackend, type Harness, openHarness, refusal, SERVER } from '../testing.ts';

const A = 'A' as DeviceId;
const ED25519 = 'signed_curve25519';

function upload(
  { api }: Pick<Harness, 'api'>,
  owner: { readonly userId: UserId; readonly deviceId: DeviceId },
  keys: {
    readonly deviceKeys?: JsonObject;
    readonly oneTimeKeys?: JsonObject;
    readonly fallbackKeys?: JsonObject;
  },
) {
  const { userId, deviceId } = owner;
  const none = { oneTimeKeys: {}, fallbackKeys: {} };
  return api.performUploadKeys({ userId, deviceId, ...none, ...keys });
}

function claimed(body: JsonObject, userId: UserId, deviceId: DeviceId): string | undefined {
  const users = body.one_time_keys as Record<string, Record<string, JsonObject>>;
  return Object.keys(users[userId]?.[deviceId] ?? {})[0];
}

forEachBackend('keys', (backend) => {
  test('of a device are shown with its name, and announced once', async () => {
    const harness = await openHarness(backend);
    const { api, register, entries } = harness;
    const alice = await register('alice', { deviceId: A });
    const device = makeDevice(alice.userId, A);
    await upload(harness, alice, { deviceKeys: device.deviceKeys });
    await upload(harness, alice, { deviceKeys: device.deviceKeys });
    await api.performUpdateDevice({ userId: alice.userId, deviceId: A, displayName: 'Phone' });
    const { userId } = alice;
    const wanted = { [userId]: [] };
    const body = await api.queryKeys({ requester: userId, wanted, timeoutMs: 0 });
    assert.deepEqual(body.device_keys, {
      [userId]: { A: { ...device.deviceKeys, unsigned: { device_display_name: 'Phone' } } },
    });
    const announced = (await entries()).map(({ entry }) => entry);
    const common = { v: 1, kind: 'DeviceListChanged', deviceId: A, keys: device.deviceKeys };
    assert.deepEqual(announced, [
      { ...common, streamId: 1, prevIds: [] },
      { ...common, streamId: 2, prevIds: [1], displayName: 'Phone' },
    ]);
  });

  test('of somebody else or another device are refused, and signatures of others are dropped', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    for (const other of [makeDevice('@bob:test.example', A), makeDevice(userId, 'B')]) {
      const uploading = upload(harness, alice, { deviceKeys: other.deviceKeys });
      await assert.rejects(uploading, refusal('M_INVALID_PARAM'));
    }
    const { deviceKeys } = makeDevice(userId, A);
    const signatures = {
      ...(deviceKeys.signatures as JsonObject),
      '@bob:test.example': { x: 'y' },
    };
    await upload(harness, alice, { deviceKeys: { ...deviceKeys, signatures } });
    const wanted = { [userId]: [A] };
    const body = await api.queryKeys({ requester: userId, wanted, timeoutMs: 0 });
    const users = body.device_keys as Record<string, Record<string, JsonObject>>;
    assert.deepEqual(users[userId]?.A?.signatures, deviceKeys.signatures);
  });

  test('of users who have none are empty, and other servers fail on their own', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const wanted = { [userId]: [], ['@bob:elsewhere.example' as UserId]: [] };
    const body = await api.queryKeys({ requester: userId, wanted, timeoutMs: 0 });
    assert.deepEqual(body.device_keys, { [userId]: {} });
    assert.deepEqual(Object.keys(body.failures as JsonObject), ['elsewhere.example']);
  });

  test('are given out once, those of the earlier upload first, then the fallback key', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    const device = makeDevice(userId, A);
    const fallback = device.oneTimeKey('fallback');
    await upload(harness, alice, { oneTimeKeys: device.oneTimeKey('z'), fallbackKeys: fallback });
    const { counts } = await upload(harness, alice, { oneTimeKeys: device.oneTimeKey('a') });
    assert.deepEqual(counts, { oneTimeKeys: { [ED25519]: 2 }, unusedFallbackKeys: [ED25519] });
    const wanted = { [userId]: { [A]: ED25519 } };
    const claim = async () =>
      claimed(await api.performClaimKeys({ wanted, timeoutMs: 0 }), userId, A);
    assert.equal(await claim(), `${ED25519}:z`);
    assert.equal(await claim(), `${ED25519}:a`);
    assert.deepEqual((await api.queryKeyCounts(alice)).unusedFallbackKeys, [ED25519]);
    assert.equal(await claim(), `${ED25519}:fallback`);
    assert.equal(await claim(), `${ED25519}:fallback`);
    const used = { oneTimeKeys: { [ED25519]: 0 }, unusedFallbackKeys: [] };
    assert.deepEqual(await api.queryKeyCounts(alice), used);
    await upload(harness, alice, { fallbackKeys: fallback });
    assert.deepEqual((await api.queryKeyCounts(alice)).unusedFallbackKeys, []);
    await upload(harness, alice, { fallbackKeys: device.oneTimeKey('new') });
    assert.deepEqual((await api.queryKeyCounts(alice)).unusedFallbackKeys, [ED25519]);
  });

  test('that many claim at once go to one each', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    const device = makeDevice(userId, A);
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`);
    const oneTimeKeys = Object.assign({}, ...names.map((name) => device.oneTimeKey(name)));
    await upload(harness, alice, { oneTimeKeys });
    const wanted = { [userId]: { [A]: ED25519 } };
    const claims = Array.from({ length: 25 }, async () =>
      claimed(await api.performClaimKeys({ wanted, timeoutMs: 0 }), userId, A),
    );
    const given = (await Promise.all(claims)).filter((name) => name !== undefined);
    assert.deepEqual(given.sort(), names.map((name) => `${ED25519}:${name}`).sort());
  });

  test('that were given out are not given out again where an upload is repeated', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    const device = makeDevice(userId, A);
    const wanted = { [userId]: { [A]: ED25519 } };
    const claim = async () =>
      claimed(await api.performClaimKeys({ wanted, timeoutMs: 0 }), userId, A);
    const oneTimeKeys = { ...device.oneTimeKey('a'), ...device.oneTimeKey('b') };
    await upload(harness, alice, { oneTimeKeys });
    assert.equal(await claim(), `${ED25519}:a`);
    const { counts } = await upload(harness, alice, { oneTimeKeys });
    assert.deepEqual(counts.oneTimeKeys, { [ED25519]: 1 });
    assert.equal(await claim(), `${ED25519}:b`);
    await upload(harness, alice, { oneTimeKeys });
    assert.equal(await claim(), undefined);
    // Another key may have the name of one that is used up.
    await upload(harness, alice, { oneTimeKeys: device.oneTimeKey('a') });
    assert.equal(await claim(), `${ED25519}:a`);
  });

  test('that were given out are forgotten after some further uploads', async () => {
    const harness = await openHarness(backend);
    const alice = await harness.register('alice', { deviceId: A });
    const wanted = { [alice.userId]: { [A]: ED25519 } };
    const device = makeDevice(alice.userId, A);
    for (let n = 0; n < 60; n += 1) {
      await upload(harness, alice, { oneTimeKeys: device.oneTimeKey(`key${n}`) });
      await harness.api.performClaimKeys({ wanted, timeoutMs: 0 });
    }
    const kept = await harness.database.all(sql`SELECT key_id FROM userserver_one_time_keys`);
    assert.ok(kept.length >= 10 && kept.length <= 30, `${kept.length} keys`);
  });

  test('of last resort are for so many algorithms at most', async () => {
    const harness = await openHarness(backend);
    const alice = await harness.register('alice', { deviceId: A });
    const fallbacks = (from: number) =>
      Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`a${from + n}:key`, 'key']));
    await upload(harness, alice, { fallbackKeys: fallbacks(0) });
    await upload(harness, alice, { fallbackKeys: fallbacks(0) });
    const more = upload(harness, alice, { fallbackKeys: fallbacks(60) });
    await assert.rejects(more, refusal('M_TOO_LARGE'));
    assert.equal((await harness.api.queryKeyCounts(alice)).unusedFallbackKeys.length, 60);
  });

  test('that were uploaded cannot be replaced by others of their name', async () => {
    const harness = await openHarness(backend);
    const alice = await harness.register('alice', { deviceId: A });
    const device = makeDevice(alice.userId, A);
    const oneTimeKeys = device.oneTimeKey('a');
    await upload(harness, alice, { oneTimeKeys });
    await upload(harness, alice, { oneTimeKeys });
    const other = upload(harness, alice, { oneTimeKeys: device.oneTimeKey('a') });
    await assert.rejects(other, refusal('M_INVALID_PARAM'));
    for (const name of ['nocolon', ':x', 'x:', `x:${'y'.repeat(255)}`]) {
      const malformed = upload(harness, alice, { oneTimeKeys: { [name]: 'key' } });
      await assert.rejects(malformed, refusal('M_INVALID_PARAM'));
    }
    assert.equal((await harness.api.queryKeyCounts(alice)).oneTimeKeys[ED25519], 1);
  });

  test('go with their device', async () => {
    const harness = await openHarness(backend);
    const { api, register, login, entries } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    const device = makeDevice(userId, A);
    await upload(harness, alice, {
      deviceKeys: device.deviceKeys,
      oneTimeKeys: device.oneTimeKey('a'),
      fallbackKeys: device.oneTimeKey('b'),
    });
    await api.performDeleteDevices({ userId, deviceIds: [A] });
    await login(userId, A);
    const wanted = { [userId]: { [A]: ED25519 } };
    assert.deepEqual(await api.performClaimKeys({ wanted, timeoutMs: 0 }), {
      one_time_keys: {},
      failures: {},
    });
    const body = await api.queryKeys({ requester: userId, wanted: { [userId]: [] }, timeoutMs: 0 });
    assert.deepEqual(body.device_keys, { [userId]: {} });
    const lists = (await entries()).filter(({ entry }) => entry.kind === 'DeviceListChanged');
    assert.deepEqual(
      lists.map(({ entry }) => entry),
      [
        { keys: device.deviceKeys, streamId: 1, prevIds: [] },
        { deleted: true, streamId: 2, prevIds: [1] },
        { streamId: 3, prevIds: [2] },
      ].map((rest) => ({ v: 1, kind: 'DeviceListChanged', deviceId: A, ...rest })),
    );
  });

  test('are told to other servers, local users alone, with the number of the last change', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const alice = await register('alice', { deviceId: A });
    const { userId } = alice;
    const device = makeDevice(userId, A);
    await upload(harness, alice, {
      deviceKeys: device.deviceKeys,
      oneTimeKeys: device.oneTimeKey('a'),
    });
    assert.deepEqual(await api.queryDevicesForServer({ userId }), {
      user_id: userId,
      stream_id: 1,
      devices: [{ device_id: A, keys: device.deviceKeys }],
    });
    const stranger = '@bob:elsewhere.example' as UserId;
    const keys = await api.queryKeysForServer({ wanted: { [userId]: [], [stranger]: [] } });
    assert.deepEqual(Object.keys(keys.device_keys as JsonObject), [userId]);
    const algorithms = { [A]: ED25519 };
    const wanted = { [userId]: algorithms, [stranger]: algorithms };
    const body = await api.performClaimKeysForServer({ wanted });
    assert.equal(claimed(body, userId, A), `${ED25519}:a`);
    const unknown = `@nobody:${SERVER}` as UserId;
    const asking = api.queryDevicesForServer({ userId: unknown });
    await assert.rejects(asking, refusal('M_NOT_FOUND'));
  });
});
