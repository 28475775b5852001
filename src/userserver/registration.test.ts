import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import type { Session } from './api.ts';
import { forEachBackend, openHarness, PASSWORD, refusal } from './testing.ts';

const device = { refreshable: false };

forEachBackend('registration', (backend) => {
  test('makes an account with a device and a token', async () => {
    const { api, clock } = await openHarness(backend);
    const session = (await api.performRegister({
      localpart: 'Alice.1_=-/+',
      password: PASSWORD,
      isAdmin: true,
      displayname: 'Alice',
      inhibitLogin: false,
      device: { deviceId: 'PHONE' as DeviceId, displayName: 'Phone', refreshable: false },
    })) as Session;
    const userId = '@alice.1_=-/+:test.example' as UserId;
    assert.equal(session.userId, userId);
    assert.equal(session.deviceId, 'PHONE');
    assert.equal(session.refreshToken, undefined);
    assert.equal(session.expiresInMs, undefined);
    const owner = await api.queryAccessToken({ token: session.accessToken });
    assert.equal(owner?.userId, userId);
    assert.equal(owner.isAdmin, true);
    assert.equal(owner.isGuest, false);
    assert.ok(!session.accessToken.includes(owner.accessTokenId));
    assert.deepEqual(await api.queryAccount({ userId }), {
      userId,
      isGuest: false,
      isAdmin: true,
      isDeactivated: false,
      createdTs: clock.now(),
    });
    assert.deepEqual(await api.queryProfile({ userId }), { displayname: 'Alice' });
    assert.deepEqual(await api.queryDevices({ userId }), [
      { deviceId: 'PHONE', displayName: 'Phone' },
    ]);
  });

  test('without a login there is an account and nothing else', async () => {
    const { api } = await openHarness(backend);
    const request = { localpart: 'bob', password: PASSWORD, inhibitLogin: true, device };
    const made = await api.performRegister(request);
    assert.deepEqual(made, { userId: '@bob:test.example' });
    assert.deepEqual(await api.queryDevices({ userId: made.userId }), []);
  });

  test('a name is given once, whatever its case', async () => {
    const { api, register } = await openHarness(backend);
    await api.queryUsernameAvailable({ localpart: 'carol' });
    await register('carol');
    for (const localpart of ['carol', 'CAROL', 'cArol']) {
      await assert.rejects(register(localpart), refusal('M_USER_IN_USE'));
      await assert.rejects(api.queryUsernameAvailable({ localpart }), refusal('M_USER_IN_USE'));
    }
  });

  test('of several who ask for a name at once, one gets it', async () => {
    const { register } = await openHarness(backend);
    const attempts = await Promise.allSettled(['dan', 'Dan', 'dan', 'DAN'].map((n) => register(n)));
    const refused = attempts.filter((attempt) => attempt.status === 'rejected');
    assert.equal(refused.length, 3);
    for (const { reason } of refused) assert.equal(reason.errcode, 'M_USER_IN_USE');
  });

  test('names outside the grammar are refused', async () => {
    const { api, register } = await openHarness(backend);
    const tooLong = 'x'.repeat(255);
    const kelvin = '\u212A';
    for (const localpart of ['', 'é', 'a b', 'a:b', 'a@b', kelvin, 'a\n', '12345', tooLong]) {
      await assert.rejects(register(localpart), refusal('M_INVALID_USERNAME'), localpart);
      const asked = api.queryUsernameAvailable({ localpart });
      await assert.rejects(asked, refusal('M_INVALID_USERNAME'), localpart);
    }
  });

  test('passwords, devices and display names are checked before anything is made', async () => {
    const { api } = await openHarness(backend);
    const request = { localpart: 'erin', password: PASSWORD, inhibitLogin: false, device };
    const cases = [
      [{ password: 'short' }, 'M_WEAK_PASSWORD'],
      [{ password: 'x'.repeat(513) }, 'M_INVALID_PARAM'],
      [{ displayname: 'x'.repeat(257) }, 'M_INVALID_PARAM'],
      [{ device: { refreshable: false, deviceId: '' as DeviceId } }, 'M_INVALID_PARAM'],
      [{ device: { refreshable: false, displayName: 'x'.repeat(513) } }, 'M_INVALID_PARAM'],
    ] as const;
    for (const [change, errcode] of cases) {
      await assert.rejects(api.performRegister({ ...request, ...change }), refusal(errcode));
    }
    assert.equal(await api.queryAccount({ userId: '@erin:test.example' as UserId }), undefined);
  });

  test('guests get a name and cannot log in by password', async () => {
    const { api } = await openHarness(backend);
    const request = { isGuest: true, inhibitLogin: false, device, password: PASSWORD };
    const guest = (await api.performRegister({ ...request, localpart: 'mine' })) as Session;
    const other = (await api.performRegister(request)) as Session;
    assert.match(guest.userId, /^@[0-9]+:test\.example$/);
    assert.notEqual(guest.userId, other.userId);
    const owner = await api.queryAccessToken({ token: guest.accessToken });
    assert.equal(owner?.isGuest, true);
    const login = { userId: guest.userId, password: PASSWORD, device };
    await assert.rejects(api.performPasswordLogin(login), refusal('M_FORBIDDEN'));
  });

  test('who asks for no name gets one, and can log in', async () => {
    const { api, login } = await openHarness(backend);
    const made = await api.performRegister({ password: PASSWORD, inhibitLogin: true, device });
    assert.equal((await login(made.userId)).userId, made.userId);
  });
});
