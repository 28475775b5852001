// How many peeks there may be: of one user on all her devices, and into one room, however they are started.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loginAgain, type TestClient } from '../client.ts';
import { type Any, join, peek, peekPath, refusal, roomPath, unpeek, useScene } from './scene.ts';

const scene = useScene({ peeking: { max_per_user: 3, max_per_room: 4 } });

const REFUSED = [429, 'M_LIMIT_EXCEEDED'];

function statuses(answers: readonly { status: number }[]): number[] {
  return answers.map((answer) => answer.status).sort();
}

function start(client: TestClient, room: string): Promise<Any> {
  return client.call('POST', peekPath(room), {});
}

async function openRooms(count: number): Promise<string[]> {
  const rooms: string[] = [];
  for (let n = 0; n < count; n += 1) rooms.push(await scene().openRoom({ preset: 'public_chat' }));
  return rooms;
}

test('of one user, over all devices, those started at once counted with the others', async () => {
  const rooms = await openRooms(4);
  const client = await scene().newUser();
  const other = await loginAgain(client);
  const starts = rooms.flatMap((room) => [start(client, room), start(other, room)]);
  const answers = await Promise.all(starts);
  assert.deepEqual(statuses(answers), [200, 200, 200, 429, 429, 429, 429, 429]);
  for (const { status, body } of answers) {
    if (status === 429) assert.ok(body.retry_after_ms > 0);
  }
});

test('into one room, those started at once counted with the others', async () => {
  const [room = ''] = await openRooms(1);
  const clients: TestClient[] = [];
  for (let n = 0; n < 6; n += 1) clients.push(await scene().newUser());
  const answers = await Promise.all(clients.map((client) => start(client, room)));
  assert.deepEqual(statuses(answers), [200, 200, 200, 200, 429, 429]);
  const refused = answers.find((answer) => answer.status === 429);
  assert.ok(refused?.body.retry_after_ms > 0);
});

test('retry_after_ms is when the first peek expires, and then there is room', async () => {
  const [first = '', second = '', third = '', fourth = ''] = await openRooms(4);
  const client = await scene().newUser();
  await peek(client, first);
  scene().server.clock.advance(1_000_000);
  await peek(client, second);
  await peek(client, third);
  const answer = await start(client, fourth);
  assert.deepEqual([answer.status, answer.body.retry_after_ms], [429, 2_600_000]);
  scene().server.clock.advance(2_600_000);
  await peek(client, fourth);
});

test('renewing is always allowed, and what ends makes room at once', async () => {
  const [first = '', second = '', third = '', fourth = ''] = await openRooms(4);
  const client = await scene().newUser();
  for (const room of [first, second, third]) await peek(client, room);
  await Promise.all([first, second, third].map((room) => peek(client, room)));
  const further = ['POST', peekPath(fourth), {}] as const;
  assert.deepEqual(await refusal(client, further), REFUSED);
  await unpeek(client, first);
  await peek(client, fourth);
  assert.deepEqual(await refusal(client, ['POST', peekPath(first), {}]), REFUSED);
  await join(client, second);
  await peek(client, first);
  await scene().setVisibility(third, 'shared');
  await peek(client, (await openRooms(1))[0] ?? '');
});

test('what is refused takes no place: unknown, closed and joined rooms', async () => {
  const rooms = await openRooms(3);
  const client = await scene().newUser();
  const [joined = ''] = await openRooms(1);
  await join(client, joined);
  const closed = await scene().room('shared');
  for (let n = 0; n < 3; n += 1) {
    assert.equal((await start(client, joined)).status, 400);
    assert.equal((await start(client, closed)).status, 403);
    assert.equal((await start(client, `!nowhere${n}:localhost`)).status, 404);
  }
  for (const room of rooms) await peek(client, room);
});

test('devices that are gone take no place, the first and the last alike', async () => {
  const rooms = await openRooms(3);
  const client = await scene().newUser();
  const gone = await loginAgain(client);
  for (const room of rooms) await peek(gone, room);
  await gone.ok('POST', '/v3/logout', {});
  await scene().server.settled();
  for (const room of rooms) await peek(client, room);
});

test('short peeks of initialSync and /events count with the others, once for each room', async () => {
  const [first = '', second = '', third = ''] = await openRooms(3);
  const client = await scene().newUser();
  await peek(client, first);
  await peek(client, second);
  for (let n = 0; n < 3; n += 1) await client.ok('GET', roomPath(third, 'initialSync'));
  for (const path of [
    roomPath(first, 'initialSync'),
    `/v3/events?room_id=${encodeURIComponent(first)}&timeout=0`,
  ]) {
    assert.deepEqual(await refusal(client, ['GET', path]), REFUSED);
  }
  await client.ok('GET', `/v3/events?room_id=${encodeURIComponent(third)}&timeout=0`);
  scene().server.clock.advance(600_000);
  await client.ok('GET', roomPath(first, 'initialSync'));
});

test('one user does not take the place of another', async () => {
  const rooms = await openRooms(3);
  const greedy = await scene().newUser();
  for (const room of rooms) await peek(greedy, room);
  const other = await scene().newUser();
  for (const room of rooms) await peek(other, room);
});
