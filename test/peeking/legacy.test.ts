// Looking into rooms as today's clients do it, over HTTP: initialSync of a room, then /events of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { register, registerGuest, TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let member: TestClient;
let names = 0;

before(async () => {
  server = await startInProcess();
  member = await register(server.baseUrl, 'member');
});

after(async () => {
  await server.close();
});

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
type Any = any;

async function newUser(): Promise<TestClient> {
  names += 1;
  return register(server.baseUrl, `legacy${names}`);
}

async function openRoom(more: Record<string, unknown> = {}): Promise<string> {
  return member.createRoom({
    initial_state: [
      {
        type: 'm.room.history_visibility',
        state_key: '',
        content: { history_visibility: 'world_readable' },
      },
    ],
    ...more,
  });
}

function setVisibility(room: string, history_visibility: string): Promise<string> {
  return member.setState(room, 'm.room.history_visibility', '', { history_visibility });
}

const roomPath = (room: string, rest: string) => `/v3/rooms/${encodeURIComponent(room)}/${rest}`;

function pollPath(room: string, query: Record<string, string> = {}): string {
  return `/v3/events?${new URLSearchParams({ room_id: room, ...query })}`;
}

async function answerOf(client: TestClient, path: string): Promise<[number, string | undefined]> {
  const { status, body } = await client.call('GET', path);
  return [status, body.errcode];
}

const typesOf = ({ chunk }: Any): string[] => chunk.map((event: Any) => event.type);

test('the event that ends the visibility between two polls is still told, then 403', async () => {
  const room = await openRoom();
  const looker = await newUser();
  const { messages } = await looker.ok('GET', roomPath(room, 'initialSync'));
  await member.send(room, 'last');
  await setVisibility(room, 'shared');
  await member.send(room, 'secret');
  const told = await looker.ok('GET', pollPath(room, { from: messages.end, timeout: '30000' }));
  assert.deepEqual(typesOf(told), ['m.room.message', 'm.room.history_visibility']);
  const next = pollPath(room, { from: told.end, timeout: '30000' });
  assert.deepEqual(await answerOf(looker, next), [403, 'M_FORBIDDEN']);
  assert.deepEqual(await answerOf(looker, roomPath(room, 'initialSync')), [403, 'M_FORBIDDEN']);
  const stranger = await newUser();
  const jump = pollPath(room, { from: messages.end });
  assert.deepEqual(await answerOf(stranger, jump), [403, 'M_FORBIDDEN']);
});

test('a poll that waits is woken by the event that ends the visibility', async () => {
  const room = await openRoom();
  const looker = await newUser();
  await looker.ok('GET', roomPath(room, 'initialSync'));
  const waiting = looker.ok('GET', pollPath(room, { timeout: '30000' }));
  await server.untilWaiting(looker);
  await setVisibility(room, 'joined');
  const told = await waiting;
  assert.deepEqual(typesOf(told), ['m.room.history_visibility']);
  assert.equal(told.chunk[0].content.history_visibility, 'joined');
  const next = pollPath(room, { from: told.end });
  assert.deepEqual(await answerOf(looker, next), [403, 'M_FORBIDDEN']);
});

test('polls keep the peek alive; without them it ends by itself', async () => {
  const room = await openRoom();
  const looker = await newUser();
  const key = {
    userId: looker.userId,
    deviceId: looker.deviceId,
    roomId: room,
    via: 'events',
  } as Any;
  const isActive = async () => {
    const { active } = await server.keyhole.components.syncserver.api.queryPeek(key);
    return active;
  };
  await looker.ok('GET', roomPath(room, 'initialSync'));
  for (let poll = 0; poll < 3; poll += 1) {
    server.clock.advance(200_000);
    await looker.ok('GET', pollPath(room, { timeout: '0' }));
    assert.equal(await isActive(), true);
  }
  server.clock.advance(600_000);
  assert.equal(await isActive(), false);
});

test('who has left looks into an open room, and sees a closed one as it was', async () => {
  const room = await openRoom({ preset: 'public_chat' });
  const leaver = await newUser();
  await leaver.ok('POST', roomPath(room, 'join'), {});
  await leaver.ok('POST', roomPath(room, 'leave'), {});
  await member.send(room, 'after the leave');
  const open = await leaver.ok('GET', roomPath(room, 'initialSync'));
  assert.equal(open.messages.chunk.at(-1).content.body, 'after the leave');
  assert.equal(open.membership, 'leave');
  await member.send(room, 'live');
  const told = await leaver.ok('GET', pollPath(room));
  assert.deepEqual(
    told.chunk.map((event: Any) => event.content.body),
    ['live'],
  );
  await setVisibility(room, 'shared');
  await leaver.ok('GET', pollPath(room, { from: told.end }));
  const closed = await leaver.ok('GET', roomPath(room, 'initialSync'));
  assert.equal(closed.messages.chunk.at(-1).content.membership, 'leave');
});

test('guests listen to one room at a time, and bad parameters are refused', async () => {
  const guest = await registerGuest(server.baseUrl);
  assert.deepEqual(await answerOf(guest, '/v3/events'), [403, 'M_GUEST_ACCESS_FORBIDDEN']);
  for (const query of ['limit=hello', 'limit=-2', 'timeout=hello', 'from=nonsense']) {
    assert.deepEqual(await answerOf(member, `/r0/events?${query}`), [400, 'M_INVALID_PARAM']);
  }
});

test('who listens to the whole stream is online, who looks into a room is not', async () => {
  const listener = await newUser();
  const presence = async () =>
    (await listener.call('GET', `/v3/presence/${listener.userId}/status`)).body.presence;
  const room = await openRoom();
  await listener.ok('GET', pollPath(room, { timeout: '0' }));
  assert.notEqual(await presence(), 'online');
  await listener.ok('GET', '/v3/events?timeout=0');
  assert.equal(await presence(), 'online');
});

test('members follow messages, typing and receipts, and initialSync shows who is there', async () => {
  const room = await openRoom({ preset: 'public_chat' });
  const other = await newUser();
  await other.ok('POST', roomPath(room, 'join'), {});
  const first = await other.ok('GET', roomPath(room, 'initialSync'));
  assert.equal(first.membership, 'join');
  assert.equal(first.presence.length, 2);
  const sent = await member.send(room, 'hello');
  await member.ok('PUT', roomPath(room, `typing/${member.userId}`), {
    typing: true,
    timeout: 30_000,
  });
  await member.ok('POST', roomPath(room, `receipt/m.read/${encodeURIComponent(sent)}`), {});
  const told = await other.ok('GET', '/r0/events?from='.concat(first.messages.end));
  const types = typesOf(told).filter((type) => type !== 'm.presence');
  assert.deepEqual(types, ['m.room.message', 'm.typing', 'm.receipt']);
  const all = await other.ok('GET', '/v3/initialSync?limit=1');
  assert.equal(all.rooms[0].messages.chunk[0].content.body, 'hello');
});

test('a restart between initialSync and the first /events loses nothing', async () => {
  const lasting = await startInProcess();
  try {
    const host = await register(lasting.baseUrl, 'host');
    const room = await host.createRoom({
      initial_state: [
        {
          type: 'm.room.history_visibility',
          state_key: '',
          content: { history_visibility: 'world_readable' },
        },
      ],
    });
    const looker = await register(lasting.baseUrl, 'looker');
    await looker.ok('GET', roomPath(room, 'initialSync'));
    await host.send(room, 'between');
    await lasting.restart();
    const again = new TestClient(lasting.baseUrl, {
      user_id: looker.userId,
      device_id: looker.deviceId,
      access_token: looker.token,
    });
    const told = await again.ok('GET', pollPath(room, { timeout: '0' }));
    assert.deepEqual(
      told.chunk.map((event: Any) => event.content.body),
      ['between'],
    );
  } finally {
    await lasting.close();
  }
});

test('two rooms are followed at once by one device, each by its own poll', async () => {
  const [one, other] = [await openRoom(), await openRoom()];
  const looker = await newUser();
  const polls: Any[] = [];
  for (const room of [one, other]) {
    await looker.ok('GET', roomPath(room, 'initialSync'));
    polls.push(looker.ok('GET', pollPath(room, { timeout: '30000' })));
  }
  await server.untilWaiting(looker);
  await member.send(other, 'for the other');
  const second = await polls[1];
  assert.deepEqual(
    second.chunk.map((event: Any) => event.content.body),
    ['for the other'],
  );
  await member.send(one, 'for the one');
  const first = await polls[0];
  assert.deepEqual(
    first.chunk.map((event: Any) => event.content.body),
    ['for the one'],
  );
});

test('polls write nothing while the peek has time enough left', async () => {
  const room = await openRoom();
  const looker = await newUser();
  const { messages } = await looker.ok('GET', roomPath(room, 'initialSync'));
  const head = () => server.keyhole.eventLog.head('roomserver.output');
  const before = await head();
  const poll = pollPath(room, { from: messages.end });
  for (let n = 0; n < 3; n += 1) await looker.ok('GET', poll);
  assert.equal(await head(), before);
  server.clock.advance(300_000);
  await looker.ok('GET', poll);
  const renewed = await head();
  assert.ok(renewed > before);
  for (let n = 0; n < 3; n += 1) await looker.ok('GET', poll);
  assert.equal(await head(), renewed);
});

test('a peek of /sync and the polls of /events are two looks: one ends without the other', async () => {
  const room = await openRoom();
  const looker = await newUser();
  const { messages } = await looker.ok('GET', roomPath(room, 'initialSync'));
  await looker.ok('POST', `/v3/peek/${encodeURIComponent(room)}`, {});
  const { next_batch: since } = await looker.sync();
  await member.send(room, 'twice seen');
  await looker.ok('POST', roomPath(room, 'unpeek'), {});
  assert.deepEqual(Object.keys((await looker.sync({ since })).rooms), ['leave']);
  const told = await looker.ok('GET', pollPath(room, { from: messages.end }));
  assert.deepEqual(typesOf(told), ['m.room.message']);
});
