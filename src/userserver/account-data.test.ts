import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../database/sql.ts';
import type { EventId, RoomId, UserId } from '../protocol/identifiers.ts';
import { type JsonObject, parseJsonExactly } from '../protocol/json.ts';
import { forEachBackend, openHarness, ROOM, refusal } from './testing.ts';

const OTHER_ROOM = '!other:test.example' as RoomId;
const IGNORED = 'm.ignored_user_list';

forEachBackend('account data', (backend) => {
  test('is kept per user, room and type', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice');
    const { userId: other } = await register('bob');
    const type = 'org.example.x';
    await api.performSetAccountData({ userId, type, content: { n: 1 } });
    await api.performSetAccountData({ userId, type, content: { n: 2 } });
    const roomId = ROOM;
    const { position } = await api.performSetAccountData({
      ...{ userId, roomId, type },
      content: { n: 3 },
    });
    assert.deepEqual(await api.queryAccountData({ userId, type }), { n: 2 });
    assert.deepEqual(await api.queryAccountData({ userId, roomId, type }), { n: 3 });
    assert.equal(await api.queryAccountData({ userId, roomId: OTHER_ROOM, type }), undefined);
    assert.equal(await api.queryAccountData({ userId: other, type }), undefined);
    const all = await api.queryAllAccountData({ userId });
    assert.deepEqual(
      all.filter((data) => data.type === type),
      [
        { type, content: { n: 2 } },
        { type, content: { n: 3 }, roomId },
      ],
    );
    const written = await entries();
    const kind = 'AccountDataChanged';
    assert.deepEqual(
      written.map(({ entry }) => entry),
      [
        { v: 1, kind, type },
        { v: 1, kind, type },
        { v: 1, kind, type, roomId },
      ],
    );
    assert.equal(written.at(-1)?.position, position);
  });

  test('has an end, from which one gets back', async () => {
    const { api, register, database } = await openHarness(backend);
    const { userId } = await register('alice');
    const text = 'ü'.repeat(500_000);
    const set = (type: string, content: JsonObject) =>
      api.performSetAccountData({ userId, type, content });
    for (let n = 0; n < 16; n += 1) await set(`org.example.${n}`, { text });
    const tooLarge = refusal('M_TOO_LARGE');
    await assert.rejects(set('org.example.more', { text }), tooLarge);
    await assert.rejects(set('org.example.0', { text: text + text + text }), tooLarge);
    assert.equal(await api.queryAccountData({ userId, type: 'org.example.more' }), undefined);
    await set('org.example.0', { text: '' });
    await set('org.example.more', { text });
    for (let n = 0; n < 16; n += 1) await set(`org.example.${n}`, {});
    await set('org.example.more', {});
    const [row] = await database.all<{ account_data_bytes: number }>(
      sql`SELECT account_data_bytes FROM userserver_accounts`,
    );
    assert.equal(row?.account_data_bytes, 17 * 302);
    await api.performDeactivate({ userId, erase: true });
  });

  test('keeps numbers as they were written', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const text = '{"a":1.0,"b":9007199254740993,"c":1e400}';
    const content = parseJsonExactly(text) as JsonObject;
    await api.performSetAccountData({ userId, type: 'org.example.x', content });
    const stored = await api.queryAccountData({ userId, type: 'org.example.x' });
    assert.equal(JSON.stringify(stored), text);
  });

  test('refuses what the server manages, and bad types', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice');
    for (const type of ['m.fully_read', 'm.push_rules']) {
      for (const place of [{}, { roomId: ROOM }]) {
        const refused = api.performSetAccountData({ userId, type, content: {}, ...place });
        await assert.rejects(refused, refusal('M_BAD_JSON'));
      }
    }
    for (const type of ['', 'x'.repeat(256)]) {
      const refused = api.performSetAccountData({ userId, type, content: {} });
      await assert.rejects(refused, refusal('M_INVALID_PARAM'));
    }
    assert.deepEqual(await entries(), []);
  });

  test('the read marker has a way of its own', async () => {
    const { api, register, entries } = await openHarness(backend);
    const { userId } = await register('alice');
    await api.performSetFullyRead({ userId, roomId: ROOM, eventId: '$e' as EventId });
    const type = 'm.fully_read';
    const content = await api.queryAccountData({ userId, roomId: ROOM, type });
    assert.deepEqual(content, { event_id: '$e' });
    const [entry] = await entries();
    assert.deepEqual(entry?.entry, { v: 1, kind: 'AccountDataChanged', type, roomId: ROOM });
  });

  test('has the push rules among it', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const type = 'm.push_rules';
    const rules = await api.queryPushRules({ userId });
    assert.deepEqual(await api.queryAccountData({ userId, type }), rules);
    assert.deepEqual(await api.queryAllAccountData({ userId }), [{ type, content: rules }]);
    assert.equal(await api.queryAccountData({ userId, roomId: ROOM, type }), undefined);
  });

  test('ignored users follow at once', async () => {
    const { api, register } = await openHarness(backend);
    const { userId } = await register('alice');
    const ignore = (content: JsonObject) =>
      api.performSetAccountData({ userId, type: IGNORED, content });
    assert.deepEqual(await api.queryIgnoredUsers({ userId }), []);
    await ignore({ ignored_users: { '@bob:x.example': {}, nonsense: {} } });
    assert.deepEqual(await api.queryIgnoredUsers({ userId }), ['@bob:x.example']);
    await ignore({ ignored_users: ['@bob:x.example'] });
    assert.deepEqual(await api.queryIgnoredUsers({ userId }), []);
    const roomData = { userId, roomId: ROOM, type: IGNORED };
    await api.performSetAccountData({ ...roomData, content: { ignored_users: { '@b:x': {} } } });
    assert.deepEqual(await api.queryIgnoredUsers({ userId }), []);
  });
});

forEachBackend('tags', (backend) => {
  const tagsOf = async (
    { api }: Awaited<ReturnType<typeof openHarness>>,
    userId: UserId,
  ): Promise<unknown> => {
    const content = await api.queryAccountData({ userId, roomId: ROOM, type: 'm.tag' });
    return content && JSON.parse(JSON.stringify(content));
  };

  test('are added, changed and removed one by one', async () => {
    const harness = await openHarness(backend);
    const { api, register, entries } = harness;
    const { userId } = await register('alice');
    const set = (tag: string, content?: JsonObject) =>
      api.performSetTag({ userId, roomId: ROOM, tag, ...(content && { content }) });
    await set('u.work', parseJsonExactly('{"order":0.25}') as JsonObject);
    await set('m.favourite', { order: 1, 'org.example': 'kept' });
    await set('u.work', { order: 0 });
    const both = { 'u.work': { order: 0 }, 'm.favourite': { order: 1, 'org.example': 'kept' } };
    assert.deepEqual(await tagsOf(harness, userId), { tags: both });
    await set('m.favourite');
    assert.deepEqual(await tagsOf(harness, userId), { tags: { 'u.work': { order: 0 } } });
    assert.deepEqual(await set('m.favourite'), { position: 0 });
    await set('u.work');
    assert.deepEqual(await tagsOf(harness, userId), { tags: {} });
    const written = await entries();
    assert.equal(written.length, 5);
    const entry = { v: 1, kind: 'AccountDataChanged', roomId: ROOM, type: 'm.tag' };
    assert.deepEqual(written[0]?.entry, entry);
  });

  test('have names and orders within bounds', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId } = await register('alice');
    const orders = ['2', '-0.1', '1.00001', '"0.5"', 'null', '1e400', '{}'];
    for (const order of orders) {
      const content = parseJsonExactly(`{"order":${order}}`) as JsonObject;
      const refused = api.performSetTag({ userId, roomId: ROOM, tag: 'u.a', content });
      await assert.rejects(refused, refusal('M_INVALID_PARAM'), order);
    }
    for (const tag of ['', 'ä'.repeat(128)]) {
      const refused = api.performSetTag({ userId, roomId: ROOM, tag, content: {} });
      await assert.rejects(refused, refusal('M_INVALID_PARAM'));
    }
    const huge = { text: 'x'.repeat(65_536) };
    const tooMuch = api.performSetTag({ userId, roomId: ROOM, tag: 'u.a', content: huge });
    await assert.rejects(tooMuch, refusal('M_TOO_LARGE'));
    assert.equal(await tagsOf(harness, userId), undefined);
  });

  test('that are set at the same time are all kept', async () => {
    const harness = await openHarness(backend);
    const { userId } = await harness.register('alice');
    const tags = Array.from({ length: 10 }, (_, i) => `u.${i}`);
    await Promise.all(
      tags.map((tag) => harness.api.performSetTag({ userId, roomId: ROOM, tag, content: {} })),
    );
    const content = (await tagsOf(harness, userId)) as { tags: object };
    assert.deepEqual(Object.keys(content.tags).sort(), tags);
  });

  test('survive account data that is no list of tags', async () => {
    const harness = await openHarness(backend);
    const { api, register } = harness;
    const { userId } = await register('alice');
    const data = { userId, roomId: ROOM, type: 'm.tag', content: { tags: 'nonsense' } };
    await api.performSetAccountData(data);
    await api.performSetTag({ userId, roomId: ROOM, tag: '__proto__', content: {} });
    await api.performSetTag({ userId, roomId: ROOM, tag: 'u.a', content: {} });
    const content = (await tagsOf(harness, userId)) as { tags: object };
    assert.deepEqual(Object.keys(content.tags), ['__proto__', 'u.a']);
  });
});
