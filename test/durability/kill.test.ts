// What was acknowledged survives kill -9, once: 64 senders, 20 kills.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { register, type TestClient } from '../client.ts';
import { startServer } from '../server-process.ts';

const SENDERS = 64;
const ROOMS = 8;
const KILLS = Number(process.env.KEYHOLE_TEST_KILLS ?? 20);

interface Sender {
  readonly client: TestClient;
  readonly roomId: string;
  /** Acknowledged: body → event id. */
  readonly acknowledged: Map<string, string>;
  count: number;
  /** The send that was under way when the server died: tried again with its transaction id. */
  pending?: string;
}

test(`no acknowledged event is lost or doubled by ${KILLS} kills of ${SENDERS} senders`, async () => {
  const server = await startServer();
  try {
    const senders = await prepare(server.baseUrl);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const round = { over: false };
      const sending = senders.map((sender) => keepSending(sender, round));
      await new Promise((resolve) => setTimeout(resolve, randomInt(100, 500)));
      round.over = true;
      await server.stop('SIGKILL');
      await Promise.all(sending);
      checkIntegrity(join(server.folder, 'keyhole.db'));
      await server.restart();
      if (kill % 5 === 4) await checkEverythingIsThereOnce(senders);
    }
    await Promise.all(senders.map(sendPending));
    await checkEverythingIsThereOnce(senders);
    assert.ok(senders.every((sender) => sender.acknowledged.size > 0));
  } finally {
    await server.remove();
  }
});

async function prepare(baseUrl: string): Promise<Sender[]> {
  const clients: TestClient[] = [];
  for (let n = 0; n < SENDERS; n += 1) clients.push(await register(baseUrl, `sender${n}`));
  const rooms: string[] = [];
  for (const client of clients.slice(0, ROOMS))
    rooms.push(await client.createRoom({ preset: 'public_chat' }));
  const senders = clients.map((client, n) => ({
    client,
    roomId: rooms[n % ROOMS] ?? '',
    acknowledged: new Map<string, string>(),
    count: 0,
  }));
  for (const { client, roomId } of senders) {
    await client.ok('POST', `/v3/rooms/${encodeURIComponent(roomId)}/join`, {});
  }
  return senders;
}

async function keepSending(sender: Sender, round: { over: boolean }): Promise<void> {
  try {
    while (!round.over) {
      if (sender.pending === undefined) {
        sender.count += 1;
        sender.pending = `${sender.client.userId} ${sender.count}`;
      }
      await sendPending(sender);
    }
  } catch (error) {
    // The connection broke with the server: expected, and the send stays pending.
    if (!(error instanceof TypeError) || !round.over) throw error;
  }
}

async function sendPending(sender: Sender): Promise<void> {
  const { client, roomId, pending } = sender;
  if (pending === undefined) return;
  const transaction = pending.slice(pending.lastIndexOf(' ') + 1);
  const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${transaction}`;
  const { event_id: eventId } = await client.ok('PUT', path, { msgtype: 'm.text', body: pending });
  sender.acknowledged.set(pending, eventId);
  delete sender.pending;
}

function checkIntegrity(path: string): void {
  const database = new DatabaseSync(path);
  try {
    const row = database.prepare('PRAGMA integrity_check').get();
    assert.deepEqual(Object.values(row ?? {}), ['ok']);
  } finally {
    database.close();
  }
}

async function checkEverythingIsThereOnce(senders: readonly Sender[]): Promise<void> {
  for (const roomId of new Set(senders.map((sender) => sender.roomId))) {
    const inRoom = senders.filter((sender) => sender.roomId === roomId);
    const [first] = inRoom;
    assert.ok(first);
    const found = await allMessages(first.client, roomId);
    for (const [body, eventId] of inRoom.flatMap((sender) => [...sender.acknowledged])) {
      assert.deepEqual(found.get(body), [eventId], body);
    }
  }
}

/** body → ids of the events that carry it. */
async function allMessages(client: TestClient, roomId: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  let from = '';
  for (;;) {
    const path = `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=500${from}`;
    const { chunk, end } = await client.ok('GET', path);
    for (const event of chunk.filter((one: { type: string }) => one.type === 'm.room.message')) {
      const ids = found.get(event.content.body) ?? [];
      found.set(event.content.body, [...ids, event.event_id]);
    }
    if (end === undefined) return found;
    from = `&from=${encodeURIComponent(end)}`;
  }
}
