import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserId } from '../protocol/identifiers.ts';
import { forEachBackend, openHarness, PASSWORD, ROOM, refusal } from './testing.ts';

const device = { refreshable: false };

forEachBackend('deactivation', (backend) => {
  test('ends devices, tokens and the password, and says so in the log', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const first = await register('alice', { deviceId: 'A', refreshable: true });
    const { userId } = first;
    const second = await login(userId, 'B');
    const { loginToken } = await api.performCreateLoginToken({ userId });
    const { accessToken: openIdToken } = await api.performCreateOpenIdToken({ userId });
    const { position } = await api.performDeactivate({ userId, erase: false });

    for (const { accessToken: token } of [first, second]) {
      assert.equal(await api.queryAccessToken({ token }), undefined);
    }
    const { refreshToken = '' } = first;
    await assert.rejects(api.performRefresh({ refreshToken }), refusal('M_UNKNOWN_TOKEN'));
    await assert.rejects(api.performTokenLogin({ loginToken, device }), refusal('M_FORBIDDEN'));
    await assert.rejects(login(userId), refusal('M_USER_DEACTIVATED'));
    const password = 'another password';
    await assert.rejects(
      api.performSetPassword({ userId, password }),
      refusal('M_USER_DEACTIVATED'),
    );
    assert.equal(await api.queryOpenIdToken({ accessToken: openIdToken }), undefined);
    assert.equal((await api.queryAccount({ userId }))?.isDeactivated, true);

    const written = await entries();
    assert.deepEqual(
      written
        .filter(({ entry }) => entry.kind !== 'DeviceListChanged')
        .map(({ entry }) => ('deviceId' in entry ? entry.deviceId : entry.kind)),
      ['A', 'B', 'UserDeactivated'],
    );
    assert.equal(written.at(-1)?.entry.kind, 'UserDeactivated');
    assert.equal(written.at(-1)?.position, position);
  });

  test('the name is not given again', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    await api.performDeactivate({ userId, erase: true });
    await assert.rejects(register('alice'), refusal('M_USER_IN_USE'));
  });

  test('data stays unless it is to be erased', async () => {
    const { api, register } = await openHarness(backend);
    for (const erase of [false, true]) {
      const { userId } = await register(erase ? 'erased' : 'kept');
      await api.performSetProfileField({ userId, field: 'displayname', value: 'Me' });
      const ignored = { ignored_users: { '@x:y': {} } };
      await api.performSetAccountData({ userId, type: 'm.ignored_user_list', content: ignored });
      await api.performSetTag({ userId, roomId: ROOM, tag: 'u.a', content: {} });
      const rule = { kind: 'room', ruleId: ROOM, rule: { actions: [] } };
      await api.performSetPushRule({ userId, ...rule });
      // Into memory.
      await Promise.all([api.queryIgnoredUsers({ userId }), api.queryPushRules({ userId })]);
      await api.performDeactivate({ userId, erase });
      const profile = await api.queryProfile({ userId });
      assert.deepEqual(profile, erase ? {} : { displayname: 'Me' });
      assert.equal((await api.queryIgnoredUsers({ userId })).length, erase ? 0 : 1);
      assert.equal((await api.queryAllAccountData({ userId })).length, erase ? 1 : 3);
      const { global } = (await api.queryPushRules({ userId })) as { global: { room: unknown[] } };
      assert.equal(global.room.length, erase ? 0 : 1);
    }
  });

  test('a login that has proved its password before the deactivation gets no session', async () => {
    const gate = { promise: Promise.resolve(), reached: () => {} };
    const beforeCommit = () => {
      gate.reached();
      return gate.promise;
    };
    const { api, register } = await openHarness(backend, { beforeCommit });
    const { userId } = await register('alice');
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    Object.assign(gate, { promise: held.promise, reached: begun.resolve });
    const deactivation = api.performDeactivate({ userId, erase: false });
    await begun.promise;
    const login = api.performPasswordLogin({ userId, password: PASSWORD, device });
    const refused = assert.rejects(login, refusal('M_USER_DEACTIVATED'));
    await new Promise(setImmediate);
    held.resolve();
    await Promise.all([deactivation, refused]);
    assert.deepEqual(await api.queryDevices({ userId }), []);
  });

  test('there has to be such a user', async () => {
    const { api, entries } = await openHarness(backend);
    const userId = '@nobody:test.example' as UserId;
    await assert.rejects(api.performDeactivate({ userId, erase: true }), refusal('M_NOT_FOUND'));
    assert.equal(await api.queryAccount({ userId }), undefined);
    assert.deepEqual(await entries(), []);
  });
});
