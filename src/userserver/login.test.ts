import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../database/sql.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { forEachBackend, openHarness, PASSWORD, refusal } from './testing.ts';

const device = { refreshable: false };
const NEW_PASSWORD = 'battery staple';

forEachBackend('login', (backend) => {
  test('each login makes a device, unless it names one', async () => {
    const { api, register, login } = await openHarness(backend);
    const { userId } = await register('alice');
    const second = await login(userId);
    const third = await login(userId);
    assert.notEqual(second.deviceId, third.deviceId);
    assert.equal((await api.queryDevices({ userId })).length, 3);
  });

  test('a device that is used again keeps its name and loses its old tokens', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const first = await register('alice', { deviceId: 'D', refreshable: true });
    assert.ok(await api.queryAccessToken({ token: first.accessToken }));
    const second = await login(first.userId, 'D');
    assert.equal(await api.queryAccessToken({ token: first.accessToken }), undefined);
    assert.ok(await api.queryAccessToken({ token: second.accessToken }));
    const refreshing = api.performRefresh({ refreshToken: first.refreshToken ?? '' });
    await assert.rejects(refreshing, refusal('M_UNKNOWN_TOKEN'));
    assert.equal((await api.queryDevices({ userId: first.userId })).length, 1);
    assert.deepEqual(await entries(), []);
  });

  test('logins of one device at the same time leave one session', async () => {
    const { api, register, login } = await openHarness(backend);
    const { userId } = await register('alice', { deviceId: 'D' });
    const sessions = await Promise.all([1, 2, 3, 4].map(() => login(userId, 'D')));
    const owners = await Promise.all(
      sessions.map(({ accessToken }) => api.queryAccessToken({ token: accessToken })),
    );
    assert.equal(owners.filter((owner) => owner !== undefined).length, 1);
  });

  test('an unknown user and a wrong password get the same answer', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const answers: unknown[] = [];
    for (const who of [userId, '@nobody:test.example' as UserId]) {
      const attempt = { userId: who, password: 'wrong horse' };
      for (const tried of [
        () => api.performPasswordLogin({ ...attempt, device }),
        () => api.checkPassword(attempt),
      ]) {
        answers.push(await tried().catch((error) => ({ ...error, message: error.message })));
      }
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal((answers[0] as { errcode: string }).errcode, 'M_FORBIDDEN');
    const endless = { userId, password: 'x'.repeat(100_000) };
    await assert.rejects(api.checkPassword(endless), refusal('M_FORBIDDEN'));
    await api.checkPassword({ userId, password: PASSWORD });
  });

  test('a password that is changed while it is checked does not open a session', async () => {
    const gate = { promise: Promise.resolve() };
    const beforeCommit = () => gate.promise;
    const { api, database, register } = await openHarness(backend, { beforeCommit });
    const { userId } = await register('alice');
    const other = { localpart: 'bob', password: NEW_PASSWORD, inhibitLogin: true, device };
    const { userId: bob } = await api.performRegister(other);
    const held = Promise.withResolvers<void>();
    const changed = Promise.withResolvers<void>();
    gate.promise = held.promise;
    const change = database.transact(async (tx) => {
      await tx.run(sql`
        UPDATE userserver_accounts SET password_hash =
          (SELECT b.password_hash FROM userserver_accounts b WHERE b.user_id = ${bob})
        WHERE user_id = ${userId}`);
      changed.resolve();
    });
    await changed.promise;
    // Reads the old hash; its own unit of work comes after the one that is held back.
    const login = api.performPasswordLogin({ userId, password: PASSWORD, device });
    held.resolve();
    await Promise.all([change, assert.rejects(login, refusal('M_FORBIDDEN'))]);
    assert.equal((await api.queryDevices({ userId })).length, 1);
  });

  test('login tokens are good once, for two minutes', async () => {
    const { api, clock, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const { loginToken, expiresInMs } = await api.performCreateLoginToken({ userId });
    assert.equal(expiresInMs, 120_000);
    const attempts = await Promise.allSettled(
      [1, 2, 3].map(() => api.performTokenLogin({ loginToken, device })),
    );
    const made = attempts.filter((attempt) => attempt.status === 'fulfilled');
    assert.equal(made.length, 1);
    assert.equal(made[0]?.value.userId, userId);
    const late = await api.performCreateLoginToken({ userId });
    clock.advance(120_000);
    const tooLate = api.performTokenLogin({ loginToken: late.loginToken, device });
    await assert.rejects(tooLate, refusal('M_FORBIDDEN'));
    const made2 = api.performTokenLogin({ loginToken: 'khlt_invented', device });
    await assert.rejects(made2, refusal('M_FORBIDDEN'));
  });

  test('another password ends the old one, its login tokens and, if asked, the other devices', async () => {
    const { api, register, login, entries } = await openHarness(backend);
    const { userId, deviceId, accessToken } = await register('alice');
    const other = await login(userId, 'OTHER');
    const { loginToken } = await api.performCreateLoginToken({ userId });
    const logoutDevices = { exceptDeviceId: deviceId };
    const request = { userId, password: NEW_PASSWORD, logoutDevices };
    const { position } = await api.performSetPassword(request);
    const written = await entries();
    assert.deepEqual(written.at(-1)?.entry, { v: 1, kind: 'DeviceDeleted', deviceId: 'OTHER' });
    assert.equal(written.at(-1)?.position, position);
    await assert.rejects(login(userId), refusal('M_FORBIDDEN'));
    await api.checkPassword({ userId, password: NEW_PASSWORD });
    await assert.rejects(api.performTokenLogin({ loginToken, device }), refusal('M_FORBIDDEN'));
    assert.ok(await api.queryAccessToken({ token: accessToken }));
    assert.equal(await api.queryAccessToken({ token: other.accessToken }), undefined);
  });

  test('setting a password is refused when it is weak or there is no such user', async () => {
    const { api, register, login } = await openHarness(backend);
    const { userId } = await register('alice');
    const weak = api.performSetPassword({ userId, password: 'weak' });
    await assert.rejects(weak, refusal('M_WEAK_PASSWORD'));
    const nobody = '@nobody:test.example' as UserId;
    const unknown = api.performSetPassword({ userId: nobody, password: NEW_PASSWORD });
    await assert.rejects(unknown, refusal('M_NOT_FOUND'));
    await login(userId);
    assert.deepEqual(await api.performSetPassword({ userId, password: NEW_PASSWORD }), {
      position: 0,
    });
  });
});
