import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../database/sql.ts';
import type { LogEntry } from '../eventlog/eventlog.ts';
import type { Session } from './api.ts';
import { forEachBackend, type Harness, openHarness, refusal } from './testing.ts';

/** Whether the access token is good; asking is using it. */
async function isKnown({ api }: Harness, { accessToken }: Session): Promise<boolean> {
  return (await api.queryAccessToken({ token: accessToken })) !== undefined;
}

function refresh({ api }: Harness, { refreshToken = '' }: Session): Promise<Session> {
  return api.performRefresh({ refreshToken });
}

forEachBackend('sessions', (backend) => {
  test('tokens are recognisable, and stored as hashes only', async () => {
    const { database, register } = await openHarness(backend);
    const { accessToken, refreshToken = '' } = await register('alice', { refreshable: true });
    assert.match(accessToken, /^khat_[\w-]{43}$/);
    assert.match(refreshToken, /^khrt_[\w-]{43}$/);
    const rows = await database.all(sql`SELECT * FROM userserver_sessions`);
    const stored = JSON.stringify(rows);
    for (const token of [accessToken, refreshToken]) assert.ok(!stored.includes(token.slice(5)));
  });

  test('an unknown token has no owner', async () => {
    const { api } = await openHarness(backend);
    for (const token of ['', 'khat_', 'x'.repeat(10_000), '\0']) {
      assert.equal(await api.queryAccessToken({ token }), undefined);
    }
  });

  test('an expired token is a soft logout until it is refreshed', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    assert.equal(first.expiresInMs, 3_600_000);
    assert.ok(await isKnown(harness, first));
    harness.clock.advance(3_600_000);
    const expired = harness.api.queryAccessToken({ token: first.accessToken });
    await assert.rejects(expired, { errcode: 'M_UNKNOWN_TOKEN', extra: { soft_logout: true } });
    const second = await refresh(harness, first);
    assert.equal(second.deviceId, first.deviceId);
    assert.ok(await isKnown(harness, second));
  });

  test('old tokens live until the new access token is first used', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    const second = await refresh(harness, first);
    assert.ok(await isKnown(harness, first));
    assert.ok(await isKnown(harness, second));
    assert.ok(!(await isKnown(harness, first)));
    await assert.rejects(refresh(harness, first), refusal('M_UNKNOWN_TOKEN'));
    assert.ok(await isKnown(harness, second));
  });

  test('old tokens live until the new refresh token is first used', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    const second = await refresh(harness, first);
    const third = await refresh(harness, second);
    assert.ok(!(await isKnown(harness, first)));
    await assert.rejects(refresh(harness, first), refusal('M_UNKNOWN_TOKEN'));
    assert.ok(await isKnown(harness, second));
    assert.ok(await isKnown(harness, third));
    assert.ok(!(await isKnown(harness, second)));
  });

  test('a client that lost the answer refreshes again, and the lost tokens end', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    const lost = await refresh(harness, first);
    const second = await refresh(harness, first);
    assert.ok(!(await isKnown(harness, lost)));
    await assert.rejects(refresh(harness, lost), refusal('M_UNKNOWN_TOKEN'));
    assert.ok(await isKnown(harness, first));
    assert.ok(await isKnown(harness, second));
  });

  test('refreshing at the same time leaves one new session', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    const made = await Promise.all([1, 2, 3].map(() => refresh(harness, first)));
    const good: Session[] = [];
    for (const session of made) if (await isKnown(harness, session)) good.push(session);
    assert.equal(good.length, 1);
  });

  test('using a new token while the old one is refreshed again leaves one of both', async () => {
    const harness = await openHarness(backend);
    for (const name of ['a', 'b', 'c', 'd']) {
      const first = await harness.register(name, { refreshable: true });
      const second = await refresh(harness, first);
      const [again, used] = await Promise.allSettled([
        refresh(harness, first),
        harness.api.queryAccessToken({ token: second.accessToken }),
      ]);
      assert.equal(used.status, 'fulfilled');
      const wasUsed = used.value !== undefined;
      assert.equal(wasUsed, again.status === 'rejected');
      assert.equal(await isKnown(harness, second), wasUsed);
      if (again.status === 'fulfilled') assert.ok(await isKnown(harness, again.value));
    }
  });

  test('sessions and unused refreshed tokens survive a restart', async () => {
    const harness = await openHarness(backend);
    const first = await harness.register('alice', { refreshable: true });
    const second = await refresh(harness, first);
    const restarted = await harness.restart();
    assert.ok(await isKnown(restarted, first));
    assert.ok(await isKnown(restarted, second));
    assert.ok(!(await isKnown(restarted, first)));
  });

  test('logout ends the device, its tokens and its pushers, and says so in the log', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const { userId, deviceId, accessToken } = await register('alice');
    const other = await login(userId);
    const pusher = {
      ...{ app_id: 'a', pushkey: 'k', kind: 'http', lang: 'en' },
      ...{ app_display_name: 'A', device_display_name: 'D' },
      data: { url: 'https://push.example/_matrix/push/v1/notify' },
    };
    await api.performSetPusher({ userId, deviceId, pusher });
    const token = accessToken;
    assert.ok(await api.queryAccessToken({ token }));
    const { position } = await api.performLogout({ userId, deviceId });
    assert.equal(await api.queryAccessToken({ token }), undefined);
    assert.equal(await api.queryDevice({ userId, deviceId }), undefined);
    assert.deepEqual(await api.queryPushers({ userId }), []);
    assert.ok(await api.queryAccessToken({ token: other.accessToken }));
    const [entry, ...rest] = (await entries()).filter(isDeletion);
    assert.deepEqual(rest, []);
    assert.deepEqual(entry?.entry, { v: 1, kind: 'DeviceDeleted', deviceId });
    assert.deepEqual([entry?.position, entry?.key], [position, userId]);
    assert.deepEqual(await api.performLogout({ userId, deviceId }), { position: 0 });
  });

  test('logout of all devices spares the one that is named', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const { userId, deviceId } = await register('alice', { deviceId: 'A' });
    await login(userId, 'B');
    await login(userId, 'C');
    await api.performLogoutAll({ userId, exceptDeviceId: deviceId });
    assert.deepEqual(
      (await api.queryDevices({ userId })).map((device) => device.deviceId),
      ['A'],
    );
    await api.performLogoutAll({ userId });
    const deleted = (await entries()).filter(isDeletion);
    const ended = deleted.map(({ entry }) => 'deviceId' in entry && entry.deviceId);
    assert.deepEqual(ended.sort(), ['A', 'B', 'C']);
  });

  test('a token that is being read while its device logs out is not remembered', async () => {
    const gate = { promise: Promise.resolve() };
    const { api, register } = await openHarness(backend, { beforeCommit: () => gate.promise });
    const { userId, deviceId, accessToken: token } = await register('alice');
    const held = Promise.withResolvers<void>();
    gate.promise = held.promise;
    const logout = api.performLogout({ userId, deviceId });
    // The logout is not committed: the token is still good, and is remembered.
    assert.ok(await api.queryAccessToken({ token }));
    held.resolve();
    await logout;
    assert.equal(await api.queryAccessToken({ token }), undefined);
  });

  test('a logout whose COMMIT fails ends nothing', async () => {
    let fails = false;
    const beforeCommit = () => (fails ? Promise.reject(new Error('disk full')) : Promise.resolve());
    const { api, register, entries } = await openHarness(backend, { beforeCommit });
    const { userId, deviceId, accessToken: token } = await register('alice');
    fails = true;
    await assert.rejects(api.performLogout({ userId, deviceId }), { name: 'DatabaseError' });
    fails = false;
    assert.ok(await api.queryAccessToken({ token }));
    assert.deepEqual(await entries(), []);
    const { position } = await api.performLogout({ userId, deviceId });
    assert.ok(position > 0);
  });
});

function isDeletion({ entry }: LogEntry<'userserver.output'>): boolean {
  return entry.kind === 'DeviceDeleted';
}
