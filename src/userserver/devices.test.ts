import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import { forEachBackend, openHarness, refusal } from './testing.ts';

const A = 'A' as DeviceId;
const B = 'B' as DeviceId;
const NONE = 'NONE' as DeviceId;

forEachBackend('devices', (backend) => {
  test('are renamed, which the log says', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice', { deviceId: A });
    const { position } = await api.performUpdateDevice({
      userId,
      deviceId: A,
      displayName: 'Phone',
    });
    assert.deepEqual(await api.queryDevice({ userId, deviceId: A }), {
      deviceId: A,
      displayName: 'Phone',
    });
    const [entry] = await entries();
    assert.deepEqual(entry?.entry, {
      v: 1,
      kind: 'DeviceListChanged',
      deviceId: A,
      displayName: 'Phone',
      streamId: 1,
      prevIds: [],
    });
    assert.equal(entry?.position, position);
  });

  test('of others and unknown ones are not to be had', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice', { deviceId: A });
    const { userId: other } = await register('bob', { deviceId: B });
    assert.equal(await api.queryDevice({ userId, deviceId: B }), undefined);
    for (const key of [
      { userId, deviceId: B },
      { userId, deviceId: NONE },
      { userId: '@nobody:test.example' as UserId, deviceId: A },
    ]) {
      const renamed = api.performUpdateDevice({ ...key, displayName: 'Mine' });
      await assert.rejects(renamed, refusal('M_NOT_FOUND'));
    }
    await api.performDeleteDevices({ userId, deviceIds: [B, NONE] });
    assert.ok(await api.queryDevice({ userId: other, deviceId: B }));
    const endless = { userId, deviceId: A, displayName: 'x'.repeat(513) };
    await assert.rejects(api.performUpdateDevice(endless), refusal('M_INVALID_PARAM'));
    assert.deepEqual(await entries(), []);
  });

  test('that are deleted take their tokens along', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const { userId } = await register('alice', { deviceId: A });
    const other = await login(userId, B);
    await login(userId, 'C');
    const deviceIds = [B, 'C' as DeviceId, NONE];
    const { position } = await api.performDeleteDevices({ userId, deviceIds });
    assert.equal(await api.queryAccessToken({ token: other.accessToken }), undefined);
    const found = await api.queryDevices({ userId });
    assert.deepEqual(
      found.map(({ deviceId }) => deviceId),
      [A],
    );
    const written = await entries();
    assert.deepEqual(
      written.map(({ entry }) => entry.kind === 'DeviceDeleted' && entry.deviceId).filter(Boolean),
      ['B', 'C'],
    );
    assert.equal(written.at(-1)?.position, position);
  });

  test('when they were last seen is shown at once and written once a minute', async () => {
    const harness = await openHarness(backend);
    const { api, clock, register } = harness;
    const { userId } = await register('alice', { deviceId: A });
    const seen = { userId, deviceId: A, ip: '1.2.3.4', userAgent: 'agent \0 \ud800' };
    await api.noteDeviceSeen(seen);
    clock.advance(1000);
    await api.noteDeviceSeen({ ...seen, ip: '::1' });
    await api.noteDeviceSeen({ ...seen, deviceId: NONE });
    const expected = { deviceId: A, lastSeenIp: '::1', lastSeenTs: clock.now() };
    assert.deepEqual(await api.queryDevice({ userId, deviceId: A }), expected);
    clock.advance(60_000);
    // What is under way is written before the end.
    const restarted = await harness.restart();
    assert.deepEqual(await restarted.api.queryDevices({ userId }), [expected]);
  });

  test('what was last seen is not lost by a shutdown', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice', { deviceId: A });
    for (let i = 0; i < 30; i++) {
      const session = await harness.login(userId, `D${i}`);
      const seen = { userId, deviceId: session.deviceId, ip: `10.0.0.${i}`, userAgent: '' };
      await harness.api.noteDeviceSeen(seen);
    }
    const { api } = await harness.restart();
    const found = await api.queryDevice({ userId, deviceId: 'D29' as DeviceId });
    assert.equal(found?.lastSeenIp, '10.0.0.29');
  });
});
