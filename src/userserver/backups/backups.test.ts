import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserId } from '../../protocol/identifiers.ts';
import { forEachBackend, type Harness, openHarness, refusal } from '../testing.ts';
import type { RoomKey } from './backups-api.ts';

const ALGORITHM = 'm.megolm_backup.v1.curve25519-aes-sha2';
const ROOM = '!room:test.example';

function key(changes: Partial<RoomKey> = {}): RoomKey {
  const plain = { firstMessageIndex: 5, forwardedCount: 5, isVerified: false };
  return { ...plain, sessionData: { ciphertext: 'secret' }, ...changes };
}

async function withBackup(harness: Harness): Promise<{ userId: UserId; version: string }> {
  const { userId } = await harness.register('alice');
  const authData = { public_key: 'key' };
  const { version } = await harness.api.performCreateKeyBackup({
    userId,
    algorithm: ALGORITHM,
    authData,
  });
  return { userId, version };
}

forEachBackend('key backups', (backend) => {
  test('have versions, of which the latest that is not deleted counts', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const common = { userId, algorithm: ALGORITHM };
    const second = await api.performCreateKeyBackup({ ...common, authData: 'opaque' });
    assert.deepEqual(await api.queryKeyBackup({ userId }), {
      version: second.version,
      algorithm: ALGORITHM,
      authData: 'opaque',
      count: 0,
      etag: '0',
    });
    await api.performDeleteKeyBackup({ userId, version: second.version });
    await api.performDeleteKeyBackup({ userId, version: second.version });
    assert.equal((await api.queryKeyBackup({ userId })).version, version);
    const third = await api.performCreateKeyBackup({ ...common, authData: {} });
    assert.ok(![version, second.version].includes(third.version));
    for (const unknown of [second.version, '99', 'bogus', '01']) {
      const asking = api.queryKeyBackup({ userId, version: unknown });
      await assert.rejects(asking, refusal('M_NOT_FOUND'), unknown);
    }
    const deleting = api.performDeleteKeyBackup({ userId, version: '99' });
    await assert.rejects(deleting, refusal('M_NOT_FOUND'));
  });

  test('are given other auth_data, but no other algorithm', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const common = { userId, version };
    await api.performUpdateKeyBackup({ ...common, algorithm: ALGORITHM, authData: { n: 2 } });
    assert.deepEqual((await api.queryKeyBackup(common)).authData, { n: 2 });
    const other = api.performUpdateKeyBackup({ ...common, algorithm: 'm.other', authData: {} });
    await assert.rejects(other, refusal('M_INVALID_PARAM'));
  });

  test('keep the better key', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const steps: [Partial<RoomKey>, boolean][] = [
      [{}, true],
      [{}, false],
      [{ forwardedCount: 4 }, true],
      [{ firstMessageIndex: 6, forwardedCount: 0 }, false],
      [{ firstMessageIndex: 4, forwardedCount: 9 }, true],
      [{ isVerified: true, firstMessageIndex: 9, forwardedCount: 9 }, true],
      [{ firstMessageIndex: 0, forwardedCount: 0 }, false],
    ];
    let etag = '0';
    for (const [index, [changes, isKept]] of steps.entries()) {
      const sent = key({ ...changes, sessionData: { index } });
      const keys = { [ROOM]: { session: sent } };
      const stand = await api.performPutRoomKeys({ userId, version, keys });
      assert.equal(stand.count, 1);
      assert.equal(stand.etag !== etag, isKept, `etag after step ${index}`);
      etag = stand.etag;
      const { [ROOM]: sessions } = await api.queryRoomKeys({ userId, version });
      const kept = JSON.stringify(sessions?.session) === JSON.stringify(sent);
      assert.equal(kept, isKept, `step ${index}`);
    }
  });

  test('take keys into the latest version only', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId, version } = await withBackup(harness);
    const keys = { [ROOM]: { session: key() } };
    const second = await api.performCreateKeyBackup({
      userId,
      algorithm: ALGORITHM,
      authData: {},
    });
    await assert.rejects(api.performPutRoomKeys({ userId, version, keys }), {
      errcode: 'M_WRONG_ROOM_KEYS_VERSION',
      extra: { current_version: second.version },
    });
    const bob = await register('bob');
    const without = api.performPutRoomKeys({ userId: bob.userId, version: '1', keys });
    await assert.rejects(without, refusal('M_NOT_FOUND'));
  });

  test('give and delete all keys, those of a room, or one; of a deleted backup none are left', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const keys = { '!a': { one: key(), two: key() }, '!b': { one: key() } };
    const put = await api.performPutRoomKeys({ userId, version, keys });
    assert.equal(put.count, 3);
    const all = { userId, version };
    assert.deepEqual(await api.queryRoomKeys(all), keys);
    assert.deepEqual(await api.queryRoomKeys({ ...all, roomId: '!b' }), { '!b': keys['!b'] });
    const one = { ...all, roomId: '!a', sessionId: 'two' };
    assert.deepEqual(await api.queryRoomKeys(one), { '!a': { two: key() } });
    const deleted = await api.performDeleteRoomKeys(one);
    assert.deepEqual([deleted.count, deleted.etag === put.etag], [2, false]);
    assert.deepEqual(await api.performDeleteRoomKeys(one), deleted);
    await api.performDeleteRoomKeys({ ...all, roomId: '!a' });
    assert.deepEqual(await api.queryRoomKeys(all), { '!b': keys['!b'] });
    assert.equal((await api.performDeleteRoomKeys(all)).count, 0);
    await api.performPutRoomKeys({ userId, version, keys });
    await api.performDeleteKeyBackup(all);
    await assert.rejects(api.queryRoomKeys(all), refusal('M_NOT_FOUND'));
  });

  test('of rooms and sessions that are called like what every object has', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const names = ['__proto__', 'constructor', 'toString'];
    const sessions = () => Object.fromEntries(names.map((name) => [name, key()]));
    const keys = Object.fromEntries(names.map((name) => [name, sessions()]));
    await api.performPutRoomKeys({ userId, version, keys });
    const found = await api.queryRoomKeys({ userId, version });
    assert.equal(JSON.stringify(found), JSON.stringify(keys));
    assert.equal(typeof {}.toString, 'function', 'other objects are what they were');
  });

  test('are given in pages, each of as much as is well handled', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const { userId, version } = await withBackup(harness);
    const large = key({ sessionData: { ciphertext: 'x'.repeat(60_000) } });
    const sessions = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`s${n}`, large]));
    const keys = { '!a': sessions, '!b': { one: key() }, '!c': sessions };
    await api.performPutRoomKeys({ userId, version, keys });
    const all = async (wanted: { readonly roomId?: string }) => {
      const found: Record<string, Record<string, RoomKey>> = {};
      const common = { userId, version, ...wanted };
      let page = await api.queryRoomKeysAfter(common);
      for (let after = page.at(-1); after !== undefined; after = page.at(-1)) {
        assert.ok(JSON.stringify(page).length < 1_200_000);
        for (const { roomId, sessionId, key } of page) {
          found[roomId] = { ...found[roomId], [sessionId]: key };
        }
        page = await api.queryRoomKeysAfter({ ...common, after });
      }
      return found;
    };
    assert.deepEqual(await all({}), keys);
    assert.deepEqual(await all({ roomId: '!a' }), { '!a': sessions });
    assert.deepEqual(await all({ roomId: '!none' }), {});
  });

  test('of many keys at once', async () => {
    const harness = await openHarness(backend);
    const { userId, version } = await withBackup(harness);
    const sessions = Object.fromEntries(Array.from({ length: 450 }, (_, n) => [`s${n}`, key()]));
    const keys = { [ROOM]: sessions };
    const { count } = await harness.api.performPutRoomKeys({ userId, version, keys });
    assert.equal(count, 450);
  });
});
