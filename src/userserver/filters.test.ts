import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import { forEachBackend, openHarness, refusal } from './testing.ts';

const ALICE = '@alice:test.example' as UserId;
const BOB = '@bob:test.example' as UserId;
const DEVICE = 'D' as DeviceId;

forEachBackend('filters', (backend) => {
  test('are stored once per user, and found by their owner only', async () => {
    const harness = await openHarness(backend);
    const { api } = harness;
    const filter = { room: { rooms: [], timeline: { limit: 10 } } };
    const [one, two] = await Promise.all([
      api.performStoreFilter({ userId: ALICE, filter }),
      api.performStoreFilter({ userId: ALICE, filter }),
    ]);
    const { filterId } = one;
    assert.equal(two.filterId, filterId);
    assert.match(filterId, /^[\w-]{22}$/);
    const other = await api.performStoreFilter({ userId: ALICE, filter: {} });
    assert.notEqual(other.filterId, filterId);
    assert.equal(await api.queryFilter({ userId: BOB, filterId }), undefined);
    assert.equal(await api.queryFilter({ userId: ALICE, filterId: 'unknown' }), undefined);
    assert.deepEqual(await api.queryFilter({ userId: ALICE, filterId }), filter);
    assert.deepEqual(await api.queryFilter({ userId: ALICE, filterId }), filter);
    const restarted = await harness.restart();
    assert.deepEqual(await restarted.api.queryFilter({ userId: ALICE, filterId }), filter);
  });
});

forEachBackend('large filters', (backend) => {
  test('with a thousand rooms are fine, but there is an end', async () => {
    const { api } = await openHarness(backend);
    const rooms = (count: number) =>
      Array.from({ length: count }, (_, n) => `!${String(n).padStart(43, '0')}`);
    await api.performStoreFilter({ userId: ALICE, filter: { room: { rooms: rooms(1000) } } });
    const tooLarge = api.performStoreFilter({
      userId: ALICE,
      filter: { room: { rooms: rooms(2000) } },
    });
    await assert.rejects(tooLarge, refusal('M_TOO_LARGE'));
  });
});

forEachBackend('OpenID tokens', (backend) => {
  test('say whose they are, for an hour, and are no access tokens', async () => {
    const { api, clock, register } = await openHarness(backend);
    const { userId, accessToken: token } = await register('alice');
    const { accessToken, expiresInMs } = await api.performCreateOpenIdToken({ userId });
    assert.equal(expiresInMs, 3_600_000);
    assert.deepEqual(await api.queryOpenIdToken({ accessToken }), { userId });
    assert.equal(await api.queryAccessToken({ token: accessToken }), undefined);
    assert.equal(await api.queryOpenIdToken({ accessToken: token }), undefined);
    const { loginToken } = await api.performCreateLoginToken({ userId });
    assert.equal(await api.queryOpenIdToken({ accessToken: loginToken }), undefined);
    clock.advance(3_600_000);
    assert.equal(await api.queryOpenIdToken({ accessToken }), undefined);
  });
});

const PUSHER = {
  app_id: 'org.example.app',
  pushkey: 'key',
  kind: 'http',
  app_display_name: 'App',
  device_display_name: 'Phone',
  profile_tag: 'tag',
  lang: 'en',
  data: { url: 'https://push.example/_matrix/push/v1/notify', format: 'event_id_only', own: 1 },
};

forEachBackend('pushers', (backend) => {
  test('are set, changed, listed and deleted', async () => {
    const { api } = await openHarness(backend);
    const request = { userId: ALICE, deviceId: DEVICE };
    await api.performSetPusher({ ...request, pusher: { ...PUSHER, append: true, other: 1 } });
    assert.deepEqual(await api.queryPushers({ userId: ALICE }), [PUSHER]);
    const changed = { ...PUSHER, lang: 'de' };
    await api.performSetPusher({ ...request, pusher: changed });
    assert.deepEqual(await api.queryPushers({ userId: ALICE }), [changed]);
    const key = { appId: PUSHER.app_id, pushkey: PUSHER.pushkey };
    await api.performDeletePusher({ userId: BOB, ...key });
    assert.equal((await api.queryPushers({ userId: ALICE })).length, 1);
    await api.performDeletePusher({ userId: ALICE, ...key });
    assert.deepEqual(await api.queryPushers({ userId: ALICE }), []);
  });

  test('of one pushkey belong to one user, unless they are appended', async () => {
    const { api } = await openHarness(backend);
    const count = async (userId: UserId) => (await api.queryPushers({ userId })).length;
    await api.performSetPusher({ userId: ALICE, deviceId: DEVICE, pusher: PUSHER });
    const appended = { ...PUSHER, append: true };
    await api.performSetPusher({ userId: BOB, deviceId: DEVICE, pusher: appended });
    assert.deepEqual([await count(ALICE), await count(BOB)], [1, 1]);
    await api.performSetPusher({ userId: BOB, deviceId: DEVICE, pusher: PUSHER });
    assert.deepEqual([await count(ALICE), await count(BOB)], [0, 1]);
  });

  test('are neither huge nor very many', async () => {
    const { api } = await openHarness(backend);
    const set = (change: JsonObject) =>
      api.performSetPusher({ userId: ALICE, deviceId: DEVICE, pusher: { ...PUSHER, ...change } });
    const tooLarge = refusal('M_TOO_LARGE');
    await assert.rejects(set({ app_display_name: 'x'.repeat(20_000) }), tooLarge);
    for (let n = 0; n < 200; n += 1) await set({ pushkey: `key ${n}` });
    await assert.rejects(set({ pushkey: 'one more' }), tooLarge);
    await set({ pushkey: 'key 7', lang: 'de' });
    assert.equal((await api.queryPushers({ userId: ALICE })).length, 200);
  });

  test('that make no sense are refused', async () => {
    const { api } = await openHarness(backend);
    const cases = [
      [{ lang: undefined }, 'M_MISSING_PARAM'],
      [{ data: undefined }, 'M_MISSING_PARAM'],
      [{ kind: 'email' }, 'M_INVALID_PARAM'],
      [{ app_id: 'x'.repeat(65) }, 'M_INVALID_PARAM'],
      [{ pushkey: 'x'.repeat(513) }, 'M_INVALID_PARAM'],
      [{ pushkey: 7 }, 'M_INVALID_PARAM'],
      [{ data: { url: 'http://push.example/_matrix/push/v1/notify' } }, 'M_INVALID_PARAM'],
      [{ data: { url: 'https://push.example/elsewhere' } }, 'M_INVALID_PARAM'],
      [{ data: { url: 'nonsense' } }, 'M_INVALID_PARAM'],
      [{ data: [] }, 'M_INVALID_PARAM'],
    ] as const;
    for (const [change, errcode] of cases) {
      const pusher = { ...PUSHER, ...change };
      const refused = api.performSetPusher({ userId: ALICE, deviceId: DEVICE, pusher });
      await assert.rejects(refused, refusal(errcode), JSON.stringify(change));
    }
    assert.deepEqual(await api.queryPushers({ userId: ALICE }), []);
  });
});
