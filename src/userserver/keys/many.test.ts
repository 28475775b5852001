// Keys of very many users at once: a small request is a little work, also where it names many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDevice } from '../../../test/e2e-keys.ts';
import type { FederationRequest } from '../../federation/api.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { upsertDeviceKeys } from '../store/device-keys.ts';
import { insertDevice } from '../store/devices.ts';
import { upsertKeySignatures } from '../store/key-signatures.ts';
import { insertStaleList, replaceRemoteList } from '../store/remote-device-lists.ts';
import { forEachBackend, type Harness, openHarness, SERVER } from '../testing.ts';

const MANY = 5_000;
const DEVICES = ['A', 'B', 'C'] as DeviceId[];
const ELSEWHERE = 'elsewhere.example';
/** ms; one pass over them is some tenths of it, one for each of them ten times as much. */
const LONGEST = 2_000;

const KEYS = JSON.stringify(makeDevice('@user:test.example', 'A').deviceKeys);

function usersOf(server: string): UserId[] {
  return Array.from({ length: MANY }, (_, n) => `@user${n}:${server}` as UserId);
}

function wantedOf<T>(userIds: readonly UserId[], of: T): Record<UserId, T> {
  return Object.fromEntries(userIds.map((userId) => [userId, of]));
}

async function timed(request: () => Promise<JsonObject>): Promise<JsonObject> {
  const begin = performance.now();
  const body = await request();
  const passed = performance.now() - begin;
  assert.ok(passed < LONGEST, `${Math.round(passed)} ms`);
  return body;
}

function devicesIn(body: JsonObject): number {
  return Object.values(body.device_keys as JsonObject).flatMap((devices) =>
    Object.keys(devices as JsonObject),
  ).length;
}

async function storeLocal({ database }: Harness, userIds: readonly UserId[]): Promise<void> {
  const owners = userIds.flatMap((userId) => DEVICES.map((deviceId) => ({ userId, deviceId })));
  const signatures = owners.map(({ userId, deviceId }) => ({
    target_user_id: userId,
    target_key_id: deviceId,
    signer_user_id: userId,
    signer_key_id: 'ed25519:key',
    signature: 'signature',
  }));
  await database.transact(async (tx) => {
    for (const owner of owners) {
      await insertDevice(tx, { ...owner, displayName: undefined, now: 0 });
      await upsertDeviceKeys(tx, { ...owner, keys: KEYS });
    }
    await upsertKeySignatures(tx, signatures);
  });
}

async function storeRemote({ database }: Harness, userIds: readonly UserId[]): Promise<void> {
  const devices = DEVICES.map((device_id) => ({ device_id, display_name: null, keys: KEYS }));
  const list = { stream_id: 1, master_key: null, self_signing_key: null, staleBefore: 1, devices };
  await database.transact(async (tx) => {
    for (const userId of userIds) {
      await insertStaleList(tx, userId);
      await replaceRemoteList(tx, { ...list, user_id: userId });
    }
  });
}

forEachBackend('keys of very many users', (backend) => {
  test('are queried, of this server', async () => {
    const harness = await openHarness(backend);
    const { userId: requester } = await harness.register('alice');
    const users = usersOf(SERVER);
    await storeLocal(harness, users);
    const query = { requester, wanted: wantedOf(users, []), timeoutMs: 0 };
    assert.equal(devicesIn(await timed(() => harness.api.queryKeys(query))), MANY * DEVICES.length);
  });

  test('are queried, of another server', async () => {
    const harness = await openHarness(backend);
    const { userId: requester } = await harness.register('alice');
    const users = usersOf(ELSEWHERE);
    await storeRemote(harness, users);
    const query = { requester, wanted: wantedOf(users, []), followed: users, timeoutMs: 0 };
    assert.equal(devicesIn(await timed(() => harness.api.queryKeys(query))), MANY * DEVICES.length);
  });

  test('are asked of a server that does not answer', async () => {
    const harness = await openHarness(backend);
    const { userId: requester } = await harness.register('alice');
    const wanted = wantedOf(usersOf(ELSEWHERE), []);
    const body = await timed(() => harness.api.queryKeys({ requester, wanted, timeoutMs: 0 }));
    assert.deepEqual(Object.keys(body.failures as JsonObject), [ELSEWHERE]);
  });

  test('are asked of so many servers, so many at once, each for what it may have', async () => {
    const asked = { now: 0, most: 0, servers: 0, bytes: 0 };
    const request = async ({ maxBytes = Number.POSITIVE_INFINITY }: FederationRequest) => {
      asked.servers += 1;
      asked.bytes += maxBytes;
      asked.now += 1;
      asked.most = Math.max(asked.most, asked.now);
      await new Promise(setImmediate);
      asked.now -= 1;
      return { device_keys: {}, one_time_keys: {} };
    };
    const harness = await openHarness(backend, { federation: { request } });
    const { userId: requester } = await harness.register('alice');
    const users = Array.from({ length: 700 }, (_, n) => `@user:s${n}.example` as UserId);
    const query = { requester, wanted: wantedOf(users, []), timeoutMs: 1_000 };
    const claim = { wanted: wantedOf(users, { ['A' as DeviceId]: 'a' }), timeoutMs: 1_000 };
    for (const asking of [harness.api.queryKeys(query), harness.api.performClaimKeys(claim)]) {
      const { failures } = await asking;
      assert.equal(Object.keys(failures as JsonObject).length, 200);
    }
    assert.equal(asked.servers, 1_000);
    assert.ok(asked.most <= 100, `${asked.most} at once`);
    assert.ok(asked.bytes < 1_000 * 500_000, `${asked.bytes} bytes`);
  });

  test('are claimed, of many devices of one', async () => {
    const user = `@user:${ELSEWHERE}` as UserId;
    const names = Array.from({ length: MANY }, (_, n) => `D${n}` as DeviceId);
    const given = Object.fromEntries(names.map((name) => [name, { 'a:1': 'key' }]));
    const federation = { request: async () => ({ one_time_keys: { [user]: given } }) };
    const harness = await openHarness(backend, { federation });
    const wanted = { [user]: Object.fromEntries(names.map((name) => [name, 'a'])) };
    const body = await timed(() => harness.api.performClaimKeys({ wanted, timeoutMs: 0 }));
    assert.deepEqual(body.one_time_keys, { [user]: given });
  });
});
