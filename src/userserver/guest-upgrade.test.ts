import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from './api.ts';
import { forEachBackend, openHarness, PASSWORD, refusal } from './testing.ts';

const device = { refreshable: false };

forEachBackend('upgrading a guest', (backend) => {
  test('gives a password and a new session, and keeps the user id', async () => {
    const { api, login } = await openHarness(backend);
    const guest = (await api.performRegister({
      isGuest: true,
      inhibitLogin: false,
      device,
    })) as Session;
    assert.equal((await api.queryAccessToken({ token: guest.accessToken }))?.isGuest, true);
    const { userId } = guest;
    const request = { userId, password: PASSWORD, inhibitLogin: false, device };
    const session = (await api.performUpgradeGuest(request)) as Session;
    assert.equal(session.userId, userId);
    assert.equal((await api.queryAccessToken({ token: session.accessToken }))?.isGuest, false);
    assert.equal(await api.queryAccessToken({ token: guest.accessToken }), undefined);
    assert.equal((await api.queryAccount({ userId }))?.isGuest, false);
    assert.equal((await login(userId)).userId, userId);
    await assert.rejects(api.performUpgradeGuest(request), refusal('M_FORBIDDEN'));
  });

  test('is refused for users, strangers, the deactivated and weak passwords', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const request = { password: PASSWORD, inhibitLogin: false, device };
    await assert.rejects(api.performUpgradeGuest({ ...request, userId }), refusal('M_FORBIDDEN'));
    const guest = await api.performRegister({ isGuest: true, inhibitLogin: false, device });
    const weak = { ...request, userId: guest.userId, password: '' };
    await assert.rejects(api.performUpgradeGuest(weak), refusal('M_WEAK_PASSWORD'));
    await api.performDeactivate({ userId: guest.userId, erase: false });
    const late = { ...request, userId: guest.userId };
    await assert.rejects(api.performUpgradeGuest(late), refusal('M_FORBIDDEN'));
  });
});
