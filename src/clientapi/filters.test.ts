import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { resolveSyncFilter, roomEventFilterParameter } from './filters.ts';

const alice = '@alice:example.org' as UserId;
const stored = { room: { rooms: [] } };
const userserver = {
  queryFilter: async ({ filterId }: { filterId: string }) =>
    filterId === '7' ? stored : undefined,
};

const isInvalid = (error: unknown) =>
  error instanceof MatrixError && error.errcode === 'M_INVALID_PARAM';

test('a filter of /sync is inline, stored, or none', async () => {
  const resolve = (filter?: string) => resolveSyncFilter({ userserver }, alice, filter);
  assert.deepEqual(await resolve(undefined), {});
  assert.deepEqual(await resolve('7'), stored);
  assert.deepEqual(await resolve('{"room":{"rooms":[]}}'), { room: { rooms: [] } });
  assert.deepEqual(await resolve('{"org.example.own":1}'), { 'org.example.own': 1 });
  const byIds = { presence: { senders: [alice] }, room: { not_rooms: ['!room'] } };
  assert.deepEqual(await resolve(JSON.stringify(byIds)), byIds);
});

test('what is no filter of /sync is refused', async () => {
  for (const filter of [
    '8',
    '[]',
    '{',
    '{"room":[]}',
    '{"room":{"timeline":{"limit":"10"}}}',
    '{"room":{"timeline":{"limit":-1}}}',
    '{"event_format":"none"}',
    '{"presence":{"types":"m.presence"}}',
    '{"presence":{"senders":["alice"]}}',
    '{"room":{"rooms":["#not:an.id"]}}',
    '{"room":{"timeline":{"not_rooms":["lobby"]}}}',
    '{"a":"\\u0000"}',
    `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`,
  ]) {
    await assert.rejects(resolveSyncFilter({ userserver }, alice, filter), isInvalid, filter);
  }
});

test('a filter of /messages is inline only', () => {
  const parameter = roomEventFilterParameter();
  assert.deepEqual(parameter.whenAbsent?.(), {});
  assert.deepEqual(parameter.read('filter', ['{"types":["m.*"]}']), { types: ['m.*'] });
  for (const raw of ['7', '{"types":{}}', '{"contains_url":"yes"}', '{"senders":[""]}', 'null']) {
    assert.throws(() => parameter.read('filter', [raw]), isInvalid, raw);
  }
});
