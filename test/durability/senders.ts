// Many clients who send until something breaks, remember what was acknowledged, and try again what was not.

import assert from 'node:assert/strict';
import { register, type TestClient } from '../client.ts';

const SENDERS = 64;
const ROOMS = 8;

export interface Sender {
  readonly client: TestClient;
  readonly roomId: string;
  /** Acknowledged: body → event id. */
  readonly acknowledged: Map<string, string>;
  count: number;
  /** The send that was under way when something broke: tried again with its transaction id. */
  pending?: string;
}

export async function prepareSenders(baseUrl: string, howMany = SENDERS): Promise<Sender[]> {
  const clients: TestClient[] = [];
  for (let n = 0; n < howMany; n += 1) clients.push(await register(baseUrl, `sender${n}`));
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

/** The answer's status: only 200 acknowledges. Throws when the connection breaks. */
export async function sendNext(sender: Sender): Promise<{ status: number; errcode: unknown }> {
  if (sender.pending === undefined) {
    sender.count += 1;
    sender.pending = `${sender.client.userId} ${sender.count}`;
  }
  return sendPending(sender);
}

export async function sendPending(sender: Sender): Promise<{ status: number; errcode: unknown }> {
  const { client, roomId, pending } = sender;
  if (pending === undefined) return { status: 200, errcode: undefined };
  const transaction = pending.slice(pending.lastIndexOf(' ') + 1);
  const path = `/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${transaction}`;
  const { status, body } = await client.call('PUT', path, { msgtype: 'm.text', body: pending });
  if (status !== 200) return { status, errcode: body?.errcode };
  sender.acknowledged.set(pending, body.event_id);
  delete sender.pending;
  return { status, errcode: undefined };
}

export async function checkEverythingIsThereOnce(senders: readonly Sender[]): Promise<void> {
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
