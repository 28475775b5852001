// What an attacker tells beside events.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { useSiege } from './hostile-scene.ts';
import type { Any } from './scene.ts';

const siege = useSiege();

const receipt = (roomId: string, userId: string, more: JsonObject): JsonObject => ({
  edu_type: 'm.receipt',
  content: { [roomId]: { 'm.read': { [userId]: more } } },
});

const deviceUpdate = (userId: string, n: number, more: JsonObject = {}): JsonObject => ({
  edu_type: 'm.device_list_update',
  content: { user_id: userId, device_id: `E${n}`, stream_id: n + 2, prev_id: [n + 1], ...more },
});

test('times that are no integers spoil nothing', async () => {
  const { ann, eve, server } = siege();
  const room = await siege().room();
  const said = await siege().goesOn(room);
  const last = await siege().goesOn(room);
  const presence = { user_id: room.userId, presence: 'unavailable', last_active_ago: 0.5 };
  const edus = [
    receipt(room.roomId, room.userId, { event_ids: [said], data: { ts: 1.5 } }),
    { edu_type: 'm.presence', content: { push: [presence] } },
  ];
  assert.equal((await eve.send(server.name, [], edus)).status, 200);
  const next = receipt(room.roomId, room.userId, { event_ids: [last], data: { ts: 2 } });
  assert.equal((await eve.send(server.name, [], [next])).status, 200);
  const isRead = (event: Any) => event.content[last]?.['m.read']?.[room.userId] !== undefined;
  await ann.until(() => ann.ephemeral(room.roomId).some(isRead), 'a receipt');
  const told = () => ann.presence.findLast(({ sender }: Any) => sender === room.userId);
  await ann.until(() => told() !== undefined, 'presence');
  assert.ok(Number.isInteger(told().content.last_active_ago), JSON.stringify(told()));
});

test('of receipts for rooms that are not here no more are looked at than of others', async () => {
  const { ann, eve, server } = siege();
  const room = await siege().room();
  const said = await siege().goesOn(room);
  const last = await siege().goesOn(room);
  const read = (eventId: string, data: JsonObject = {}) => ({
    'm.read': { [room.userId]: { event_ids: [eventId], data: { ts: 2, ...data } } },
  });
  const elsewhere = Array.from({ length: 5_000 }, (_, n) => [`!${n}:${eve.name}`, read(said)]);
  // Of a thread of its own, so that the next does not take its place.
  const content = Object.fromEntries([
    ...elsewhere,
    [room.roomId, read(said, { thread_id: 'main' })],
  ]);
  const flood = { edu_type: 'm.receipt', content };
  assert.equal((await eve.send(server.name, [], [flood])).status, 200);
  const plain = { edu_type: 'm.receipt', content: { [room.roomId]: read(last) } };
  assert.equal((await eve.send(server.name, [], [plain])).status, 200);
  const has = (id: string) => (event: Any) => event.content[id]?.['m.read'] !== undefined;
  await ann.until(() => ann.ephemeral(room.roomId).some(has(last)), 'a receipt');
  assert.ok(!ann.ephemeral(room.roomId).some(has(said)));
});

async function followed(count = 0): Promise<string> {
  const { ann, eve } = siege();
  const { userId } = await siege().room();
  const path = new RegExp(`/user/devices/${encodeURIComponent(userId)}$`);
  const devices = Array.from({ length: count }, (_, n) => ({ device_id: `F${n}` }));
  eve.on(path, () => ({ user_id: userId, stream_id: 1, devices }));
  await ann.client.ok('POST', '/v3/keys/query', { device_keys: { [userId]: [] } });
  return userId;
}

async function kept(userId: string): Promise<{ devices: number; characters: number }> {
  const found = await siege().server.keyhole.database.get<{ n: number; size: number | null }>(
    sql`SELECT COUNT(*) AS n, SUM(LENGTH(keys)) AS size
      FROM userserver_remote_devices WHERE user_id = ${userId}`,
  );
  return { devices: Number(found?.n), characters: Number(found?.size) };
}

test('a list of devices does not grow without end, one by one', async () => {
  const { eve, server } = siege();
  const userId = await followed(1_990);
  for (const n of [0, 5, 10]) {
    const edus = Array.from({ length: 5 }, (_, m) => deviceUpdate(userId, n + m));
    assert.equal((await eve.send(server.name, [], edus)).status, 200);
  }
  const { devices } = await kept(userId);
  assert.ok(devices >= 1_990 && devices <= 2_000, `${devices} devices`);
});

test('keys of devices are no larger than those of users here', async () => {
  const { eve, server } = siege();
  const userId = await followed();
  const keys = (n: number, length: number) => ({
    keys: { user_id: userId, device_id: `E${n}`, keys: { x: 'x'.repeat(length) } },
  });
  const edus = [deviceUpdate(userId, 0, keys(0, 1_000)), deviceUpdate(userId, 1, keys(1, 70_000))];
  assert.equal((await eve.send(server.name, [], edus)).status, 200);
  assert.ok((await kept(userId)).characters < 2_000);
});
