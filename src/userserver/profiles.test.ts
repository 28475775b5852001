import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserId } from '../protocol/identifiers.ts';
import { forEachBackend, openHarness, PASSWORD, refusal } from './testing.ts';

const NOBODY = '@nobody:test.example' as UserId;
const MXC = 'mxc://test.example/abc';

forEachBackend('profiles', (backend) => {
  test('fields are set and removed; the log tells of name and avatar', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice');
    const set = (field: string, value?: string | number | null) =>
      api.performSetProfileField({ userId, field, ...(value !== undefined && { value }) });
    await set('displayname', 'Älice 🐈');
    await set('avatar_url', MXC);
    await set('m.tz', 'Europe/Berlin');
    assert.deepEqual(await set('org.example.number', 0.25), { position: 0 });
    await set('org.example.nothing', null);
    assert.deepEqual(JSON.parse(JSON.stringify(await api.queryProfile({ userId }))), {
      displayname: 'Älice 🐈',
      avatar_url: MXC,
      'm.tz': 'Europe/Berlin',
      'org.example.number': 0.25,
      'org.example.nothing': null,
    });
    await set('displayname', '');
    await set('avatar_url');
    await set('org.example.number');
    await set('org.example.unset');
    const left = { 'm.tz': 'Europe/Berlin', 'org.example.nothing': null };
    assert.deepEqual(await api.queryProfile({ userId }), left);
    const kind = 'ProfileChanged';
    assert.deepEqual(
      (await entries()).map(({ entry }) => entry),
      [
        { v: 1, kind, displayname: 'Älice 🐈' },
        { v: 1, kind, displayname: 'Älice 🐈', avatarUrl: MXC },
        { v: 1, kind, avatarUrl: MXC },
        { v: 1, kind },
      ],
    );
  });

  test('what is not allowed is refused', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const cases = [
      ['displayname', 7, 'M_INVALID_PARAM'],
      ['displayname', null, 'M_INVALID_PARAM'],
      ['displayname', 'x'.repeat(257), 'M_INVALID_PARAM'],
      ['avatar_url', 'https://example.com/a.png', 'M_INVALID_PARAM'],
      ['avatar_url', 'mxc://test.example/../etc', 'M_INVALID_PARAM'],
      ['m.tz', {}, 'M_INVALID_PARAM'],
      ['unnamespaced', 'x', 'M_INVALID_PARAM'],
      ['__proto__', 'x', 'M_INVALID_PARAM'],
      ['Org.example', 'x', 'M_INVALID_PARAM'],
      ['', 'x', 'M_INVALID_PARAM'],
      [`a.${'x'.repeat(254)}`, 'x', 'M_KEY_TOO_LARGE'],
      ['org.example.big', 'x'.repeat(65_536), 'M_PROFILE_TOO_LARGE'],
    ] as const;
    for (const [field, value, errcode] of cases) {
      const refused = api.performSetProfileField({ userId, field, value });
      await assert.rejects(refused, refusal(errcode), field);
    }
    assert.deepEqual(await api.queryProfile({ userId }), {});
    const nobodys = { userId: NOBODY, field: 'displayname', value: 'X' };
    await assert.rejects(api.performSetProfileField(nobodys), refusal('M_NOT_FOUND'));
    assert.equal(await api.queryProfile({ userId: NOBODY }), undefined);
  });

  test('the limit is of the whole profile', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const value = 'x'.repeat(40_000);
    await api.performSetProfileField({ userId, field: 'org.example.a', value });
    const second = api.performSetProfileField({ userId, field: 'org.example.b', value });
    await assert.rejects(second, refusal('M_PROFILE_TOO_LARGE'));
    await api.performSetProfileField({ userId, field: 'org.example.a' });
    await api.performSetProfileField({ userId, field: 'org.example.b', value });
  });

  test('fields that are set at the same time are all kept', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const fields = Array.from({ length: 10 }, (_, i) => `org.example.f${i}`);
    await Promise.all(
      fields.map((field) => api.performSetProfileField({ userId, field, value: field })),
    );
    const profile = await api.queryProfile({ userId });
    assert.deepEqual(Object.keys(profile ?? {}).sort(), fields);
  });

  test('many are asked for at once', async () => {
    const { api, register } = await openHarness(backend);
    const { userId: alice } = await register('alice');
    const { userId: bob } = await register('bob');
    await api.performSetProfileField({ userId: bob, field: 'displayname', value: 'Bob' });
    const profiles = await api.queryProfiles({ userIds: [alice, bob, NOBODY] });
    assert.deepEqual(profiles, { [alice]: {}, [bob]: { displayname: 'Bob' } });
    assert.deepEqual(await api.queryProfiles({ userIds: [] }), {});
  });
});

forEachBackend('user directory', (backend) => {
  const found = async (
    { api }: Awaited<ReturnType<typeof openHarness>>,
    term: string,
    limit = 10,
  ) => {
    const requester = '@me:test.example' as UserId;
    const { results, limited } = await api.searchUsers({ term, limit, requester });
    return { ids: results.map(({ userId }) => userId.split(':')[0]), limited };
  };

  test('finds local users by id and display name, whatever the case', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId } = await register('alice');
    await register('malice');
    await api.performSetProfileField({ userId, field: 'displayname', value: 'Ærøskøbing 100%' });
    await api.performSetProfileField({ userId, field: 'avatar_url', value: MXC });
    const ids = ['@alice', '@malice'];
    assert.deepEqual(await found(harness, 'ALICE'), { ids, limited: false });
    assert.deepEqual(await found(harness, '@alice'), { ids: ['@alice'], limited: false });
    assert.deepEqual((await found(harness, 'ÆRØ')).ids, ['@alice']);
    assert.deepEqual((await found(harness, '0%')).ids, ['@alice']);
    const { results } = await api.searchUsers({ term: 'ærø', limit: 1, requester: userId });
    assert.deepEqual(results, [{ userId, displayname: 'Ærøskøbing 100%', avatarUrl: MXC }]);
  });

  test('takes wildcards as they are, and no term for nobody', async () => {
    const harness = await openHarness(backend);
    await harness.register('alice');
    for (const term of ['%', '_', '!', 'al%ce', 'al_ce', '', ' ', 'x'.repeat(100_000)]) {
      assert.deepEqual(await found(harness, term), { ids: [], limited: false }, term.slice(0, 9));
    }
  });

  test('is limited, and prefers names that begin with the term', async () => {
    const harness = await openHarness(backend);
    for (const name of ['a-bob', 'bob-1', 'bob-2']) await harness.register(name);
    assert.deepEqual(await found(harness, 'bob', 2), { ids: ['@bob-1', '@bob-2'], limited: true });
    assert.deepEqual((await found(harness, 'bob', 3)).limited, false);
    assert.deepEqual(await found(harness, 'bob', -1), { ids: [], limited: true });
  });

  test('leaves out guests and deactivated users', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId } = await register('gone');
    const device = { refreshable: false };
    const guest = { isGuest: true, password: PASSWORD, inhibitLogin: true, device };
    const made = await api.performRegister(guest);
    await api.performDeactivate({ userId, erase: false });
    assert.deepEqual((await found(harness, 'gone')).ids, []);
    assert.deepEqual((await found(harness, made.userId)).ids, []);
  });
});
