// Local peeking (MSC2753) over HTTP: one test per line of what a peek must do, numbered.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loginAgain, register, registerGuest, request, TestClient } from '../client.ts';
import { forEachEngine } from '../contracts/backends.ts';
import { reversedCommits } from '../reversed-commits.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let member: TestClient;
let looker: TestClient;
let names = 0;

async function newUser(): Promise<TestClient> {
  names += 1;
  return register(server.baseUrl, `looker${names}`);
}

const visibility = (value: string) => ({
  type: 'm.room.history_visibility',
  state_key: '',
  content: { history_visibility: value },
});

async function openRoom(more: Record<string, unknown> = {}): Promise<string> {
  return member.createRoom({ initial_state: [visibility('world_readable')], ...more });
}

const peekPath = (room: string) => `/v3/peek/${encodeURIComponent(room)}`;
const roomPath = (room: string, rest: string) => `/v3/rooms/${encodeURIComponent(room)}/${rest}`;

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
type Any = any;
const bodies = (section: Any): string[] =>
  (section?.timeline?.events ?? []).map((event: Any) => event.content.body).filter(Boolean);
const types = (section: Any, part = 'timeline'): string[] =>
  (section?.[part]?.events ?? []).map((event: Any) => event.type);

/** A fresh looker who has synced, peeks into `room` and has been sent its state. */
async function looking(room: string): Promise<{ client: TestClient; since: string }> {
  const client = await newUser();
  await client.ok('POST', peekPath(room), {});
  const { next_batch: since, rooms } = await client.sync();
  assert.ok(rooms.peek[room]);
  return { client, since };
}

forEachEngine('peeking', (postgresUrl) => {
  before(async () => {
    server = await startInProcess({
      postgresUrl,
      ...(postgresUrl && { beforeCommit: reversedCommits() }),
    });
    member = await register(server.baseUrl, 'member');
  });

  after(async () => {
    await server.close();
  });

  testStartAndEnd();
  testWhatIsShown(postgresUrl);
});

function testStartAndEnd(): void {
  test('1. peeked by ID and synced since-less, the timeline in rooms.peek starts at create', async () => {
    const room = await openRoom();
    await member.send(room, 'something to peek');
    looker = await newUser();
    const answer = await looker.ok('POST', peekPath(room), {});
    assert.equal(answer.room_id, room);
    assert.equal(answer.peek_expiry_ts, server.clock.now() + 3_600_000);
    const { rooms } = await looker.sync();
    const section = rooms.peek[room];
    assert.equal(section.timeline.events[0].type, 'm.room.create');
    assert.deepEqual(section.state?.events ?? [], []);
    assert.equal(bodies(section).at(-1), 'something to peek');
    assert.equal(section.timeline.limited, false);
    assert.equal(typeof section.timeline.prev_batch, 'string');
    assert.equal(rooms.join?.[room], undefined);
  });

  test('2. a peek that starts during an ongoing sync wakes the long poll with full state', async () => {
    const room = await openRoom();
    for (let line = 0; line < 15; line += 1) await member.send(room, `line ${line}`);
    const client = await newUser();
    const { next_batch: since } = await client.sync();
    const waiting = client.sync({ since, timeout: '30000' });
    await server.untilWaiting(client);
    await client.ok('POST', peekPath(room), {});
    const section = (await waiting).rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    const all = [...types(section, 'state'), ...types(section)];
    for (const type of [
      'm.room.create',
      'm.room.power_levels',
      'm.room.member',
      'm.room.join_rules',
    ]) {
      assert.ok(all.includes(type), type);
    }
    assert.equal(bodies(section).at(-1), 'line 14');
  });

  for (const value of ['shared', 'invited', 'joined']) {
    test(`3. a room with ${value} visibility cannot be peeked: 403 M_FORBIDDEN`, async () => {
      const room = await member.createRoom({
        initial_state: [visibility(value)],
        preset: 'public_chat',
      });
      const answer = await (await newUser()).call('POST', peekPath(room), {});
      assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_FORBIDDEN']);
    });
  }

  test('4. an alias is peeked, and the resolved room_id returned', async () => {
    const room = await openRoom({ room_alias_name: 'peekable' });
    const answer = await (await newUser()).ok('POST', peekPath('#peekable:localhost'), {});
    assert.equal(answer.room_id, room);
  });

  test('5. with two devices, one of which peeks, the other never sees it', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    const other = await loginAgain(client);
    const first = await other.sync();
    await member.send(room, 'for one');
    assert.deepEqual(bodies((await client.sync({ since })).rooms.peek[room]), ['for one']);
    assert.equal(first.rooms?.peek?.[room], undefined);
    assert.equal((await other.sync({ since: first.next_batch })).rooms?.peek?.[room], undefined);
  });

  test('6. a message arrives while the device waits, and unchanged rooms stay absent', async () => {
    const room = await openRoom();
    const quiet = await openRoom();
    const { client, since } = await looking(room);
    await client.ok('POST', peekPath(quiet), {});
    const both = await client.sync({ since });
    assert.deepEqual(Object.keys(both.rooms.peek), [quiet]);
    const waiting = client.sync({ since: both.next_batch, timeout: '30000' });
    await server.untilWaiting(client);
    await member.send(room, 'live');
    const woken = await waiting;
    assert.deepEqual(Object.keys(woken.rooms.peek), [room]);
    assert.deepEqual(bodies(woken.rooms.peek[room]), ['live']);
    assert.equal((await client.sync({ since: woken.next_batch })).rooms?.peek, undefined);
  });

  test('7. POSTed again, peek_expiry_ts moves and state is not sent again', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    server.clock.advance(60_000);
    const answer = await client.ok('POST', peekPath(room), {});
    assert.equal(answer.peek_expiry_ts, server.clock.now() + 3_600_000);
    const again = await client.sync({ since });
    assert.equal(again.rooms?.peek?.[room], undefined);
  });

  test('8. without renewal, the room stands in leave once with the final events when expiry passes', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    await member.send(room, 'one more thing');
    server.clock.advance(3_600_001);
    await server.settled();
    await member.send(room, 'too late');
    const ended = await client.sync({ since });
    assert.deepEqual(bodies(ended.rooms.leave[room]), ['one more thing']);
    assert.equal(ended.rooms.peek?.[room], undefined);
    const same = await client.sync({ since });
    assert.deepEqual(same.rooms.leave[room], ended.rooms.leave[room]);
    const later = await client.sync({ since: ended.next_batch });
    assert.equal(later.rooms?.leave?.[room], undefined);
  });

  test('9. after unpeek, leave has the events since the last sync, and a second unpeek is a 400', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    await member.send(room, 'just one more thing');
    assert.deepEqual(await client.ok('POST', roomPath(room, 'unpeek'), {}), {});
    await member.send(room, 'not for lookers');
    const ended = await client.sync({ since });
    assert.deepEqual(bodies(ended.rooms.leave[room]), ['just one more thing']);
    assert.equal((await client.sync({ since: ended.next_batch })).rooms?.leave?.[room], undefined);
    const second = await client.call('POST', roomPath(room, 'unpeek'), {});
    assert.deepEqual([second.status, second.body.errcode], [400, 'M_BAD_STATE']);
    const unknown = await client.call('POST', roomPath('!nowhere:localhost', 'unpeek'), {});
    assert.deepEqual([unknown.status, unknown.body.errcode], [400, 'M_BAD_STATE']);
  });

  test('9a. an unpeek without events since gives an empty entry in leave', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    await client.ok('POST', roomPath(room, 'unpeek'), {});
    const ended = await client.sync({ since });
    assert.deepEqual(bodies(ended.rooms.leave[room]), []);
  });

  test('10. peek, unpeek, peek: full state is sent again', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    await client.ok('POST', roomPath(room, 'unpeek'), {});
    await client.ok('POST', peekPath(room), {});
    const { rooms } = await client.sync({ since });
    const section = rooms.peek[room];
    assert.ok([...types(section, 'state'), ...types(section)].includes('m.room.create'));
    assert.equal(rooms.leave?.[room], undefined);
  });

  test('11. a joined user cannot peek: 400 M_BAD_STATE', async () => {
    const answer = await member.call('POST', peekPath(await openRoom()), {});
    assert.deepEqual([answer.status, answer.body.errcode], [400, 'M_BAD_STATE']);
  });

  test('12. an unknown room, or alias, is a 404', async () => {
    for (const room of ['!nowhere:localhost', '#nowhere:localhost']) {
      const answer = await member.call('POST', peekPath(room), {});
      assert.deepEqual([answer.status, answer.body.errcode], [404, 'M_NOT_FOUND']);
    }
  });

  test('13. joining moves the room to join, without state on the device that had it and with it on others', async () => {
    const room = await openRoom({ preset: 'public_chat' });
    const { client, since } = await looking(room);
    const other = await loginAgain(client);
    const { next_batch: otherSince } = await other.sync();
    await client.ok('POST', roomPath(room, 'join'), {});
    const { rooms } = await client.sync({ since });
    assert.deepEqual(types(rooms.join[room]), ['m.room.member']);
    assert.deepEqual(types(rooms.join[room], 'state'), []);
    assert.equal(rooms.peek?.[room], undefined);
    assert.equal(rooms.leave?.[room], undefined);
    const section = (await other.sync({ since: otherSince })).rooms.join[room];
    assert.ok([...types(section, 'state'), ...types(section)].includes('m.room.create'));
  });

  test('13a. peek and join before any sync gives the state', async () => {
    const room = await openRoom({ preset: 'public_chat' });
    const client = await newUser();
    const { next_batch: since } = await client.sync();
    await client.ok('POST', peekPath(room), {});
    await client.ok('POST', roomPath(room, 'join'), {});
    const { rooms } = await client.sync({ since });
    const section = rooms.join[room];
    assert.ok([...types(section, 'state'), ...types(section)].includes('m.room.create'));
    assert.equal(rooms.peek?.[room], undefined);
  });

  test('13b. a device that never came back with the token it was given gets the state on joining', async () => {
    const room = await openRoom({ preset: 'public_chat' });
    const client = await newUser();
    const { next_batch: since } = await client.sync();
    await client.ok('POST', peekPath(room), {});
    await client.sync({ since }); // this answer is lost
    await client.ok('POST', roomPath(room, 'join'), {});
    const section = (await client.sync({ since })).rooms.join[room];
    assert.ok([...types(section, 'state'), ...types(section)].includes('m.room.create'));
  });

  test('14. join then leave does not go back to peeking', async () => {
    const room = await openRoom({ preset: 'public_chat' });
    const { client, since } = await looking(room);
    await client.ok('POST', roomPath(room, 'join'), {});
    const joined = await client.sync({ since });
    await client.ok('POST', roomPath(room, 'leave'), {});
    await member.send(room, 'after');
    const left = await client.sync({ since: joined.next_batch });
    assert.ok(left.rooms.leave[room]);
    assert.equal(left.rooms.peek?.[room], undefined);
    const later = await client.sync({ since: left.next_batch });
    assert.equal(later.rooms?.peek?.[room], undefined);
    assert.equal((await client.sync()).rooms?.peek?.[room], undefined);
  });
}

function testWhatIsShown(postgresUrl: string | undefined): void {
  test('15. tightened visibility: that event arrives, the peek ends, later events never do', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    const tightening = await member.setState(room, 'm.room.history_visibility', '', {
      history_visibility: 'joined',
    });
    await member.send(room, 'secret');
    const { rooms, next_batch: next } = await client.sync({ since });
    assert.deepEqual(
      rooms.leave[room].timeline.events.map((event: Any) => event.event_id),
      [tightening],
    );
    await member.send(room, 'more secrets');
    const later = await client.sync({ since: next });
    assert.equal(later.rooms, undefined);
    assert.ok(!JSON.stringify(await client.sync()).includes('secret'));
  });

  test('15a. the start of encryption ends a peek likewise', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    const start = await member.setState(room, 'm.room.encryption', '', {
      algorithm: 'm.megolm.v1.aes-sha2',
    });
    await member.send(room, 'after');
    const { rooms } = await client.sync({ since });
    assert.deepEqual(
      rooms.leave[room].timeline.events.map((event: Any) => event.event_id),
      [start],
    );
  });

  test('16. of a mixed history, only messages of the world-readable era appear', async () => {
    const room = await member.createRoom({ initial_state: [visibility('joined')] });
    await member.send(room, 'private era');
    await member.setState(room, 'm.room.history_visibility', '', {
      history_visibility: 'world_readable',
    });
    await member.send(room, 'public era');
    const client = await newUser();
    await client.ok('POST', peekPath(room), {});
    const section = (await client.sync()).rooms.peek[room];
    assert.deepEqual(bodies(section), ['public era']);
    const { chunk } = await client.ok('GET', roomPath(room, 'messages?dir=b&limit=100'));
    assert.deepEqual(chunk.map((event: Any) => event.content.body).filter(Boolean), ['public era']);
  });

  test('17. an encrypted room cannot be peeked: 403', async () => {
    const room = await openRoom();
    await member.setState(room, 'm.room.encryption', '', { algorithm: 'm.megolm.v1.aes-sha2' });
    const answer = await (await newUser()).call('POST', peekPath(room), {});
    assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_FORBIDDEN']);
  });

  test('18. typing, receipts, presence and counts are not for lookers', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    const event = await member.send(room, `hello ${client.userId}`);
    await member.ok('PUT', roomPath(room, `typing/${encodeURIComponent(member.userId)}`), {
      typing: true,
      timeout: 30_000,
    });
    await member.ok('POST', roomPath(room, `receipt/m.read/${encodeURIComponent(event)}`), {});
    const body = await client.sync({ since });
    const section = body.rooms.peek[room];
    assert.deepEqual(section.ephemeral?.events ?? [], []);
    assert.equal(section.unread_notifications?.notification_count ?? 0, 0);
    assert.equal(section.unread_notifications?.highlight_count ?? 0, 0);
    assert.ok(!JSON.stringify(body.presence ?? {}).includes(member.userId));
  });

  test('19. a gappy sync has in state what changed in the gap', async () => {
    const room = await openRoom();
    const { client, since } = await looking(room);
    await member.setState(room, 'm.room.topic', '', { topic: 'changed in the gap' });
    for (let line = 0; line < 30; line += 1) await member.send(room, `line ${line}`);
    const section = (await client.sync({ since })).rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(types(section, 'state'), ['m.room.topic']);
  });

  test('20. full_state and lazy_load_members treat peeks as joined rooms', async () => {
    const room = await openRoom({ preset: 'public_chat', name: 'Named, so that it has no heroes' });
    const silent = await newUser();
    await silent.ok('POST', roomPath(room, 'join'), {});
    for (let line = 0; line < 12; line += 1) await member.send(room, `line ${line}`);
    const { client, since } = await looking(room);
    const whole = (await client.sync({ since, full_state: 'true' })).rooms.peek[room];
    assert.ok(types(whole, 'state').includes('m.room.create'));
    const filter = JSON.stringify({ room: { state: { lazy_load_members: true } } });
    const lazy = (await client.sync({ filter })).rooms.peek[room];
    const members = [...lazy.state.events, ...lazy.timeline.events]
      .filter((event: Any) => event.type === 'm.room.member')
      .map((event: Any) => event.state_key);
    assert.ok(members.includes(member.userId));
    assert.ok(!members.includes(silent.userId));
  });

  for (const [how, end] of [
    ['logout', (client: TestClient) => client.ok('POST', '/v3/logout', {})],
    [
      'deactivation',
      (client: TestClient) =>
        client.ok('POST', '/v3/account/deactivate', { auth: password(client) }),
    ],
  ] as const) {
    test(`21. peeks vanish with ${how}`, async () => {
      const room = await openRoom();
      const { client } = await looking(room);
      assert.equal(await server.isPeeking(client, room), true);
      await end(client);
      await server.settled();
      assert.equal(await server.isPeeking(client, room), false);
    });
  }

  test('21a. peeks vanish with the deletion of their device, and no other device gets them', async () => {
    const room = await openRoom();
    const { client } = await looking(room);
    const other = await loginAgain(client);
    await other.ok('DELETE', `/v3/devices/${client.deviceId}`, { auth: password(client) });
    await server.settled();
    assert.equal(await server.isPeeking(client, room), false);
    assert.equal((await other.sync()).rooms?.peek, undefined);
  });

  function password(client: TestClient): unknown {
    const localpart = client.userId.slice(1, client.userId.indexOf(':'));
    return {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: client.userId },
      password: `secret of ${localpart}`,
    };
  }

  for (const path of [
    '/r0/peek/ROOM',
    '/v3/peek/ROOM',
    '/unstable/org.matrix.msc2753/peek/ROOM',
    '/r0/rooms/ROOM/peek',
    '/v1/rooms/ROOM/peek',
    '/v3/rooms/ROOM/peek',
  ]) {
    test(`POST ${path} starts a peek, and the unpeek beside it ends it`, async () => {
      const room = await openRoom();
      const client = await newUser();
      const encoded = encodeURIComponent(room);
      const answer = await client.ok(
        'POST',
        `${path.replace('ROOM', encoded)}?server_name=localhost&via=localhost`,
        {
          servers: ['localhost'],
        },
      );
      assert.equal(answer.room_id, room);
      const prefix = path.slice(0, path.lastIndexOf(path.includes('/rooms/') ? '/rooms' : '/peek'));
      await client.ok('POST', `${prefix}/rooms/${encoded}/unpeek`, {});
    });
  }

  test('too many peeks of one user are refused with 429 and retry_after_ms; renewing is not', async () => {
    const small = await startInProcess({ postgresUrl, config: { peeking: { max_per_user: 2 } } });
    try {
      const host = await register(small.baseUrl, 'host');
      const client = await register(small.baseUrl, 'greedy');
      const rooms: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        rooms.push(await host.createRoom({ initial_state: [visibility('world_readable')] }));
      }
      const answers = await Promise.all(
        rooms.map((room) => client.call('POST', peekPath(room), {})),
      );
      assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 200, 429]);
      const refused = answers.find((answer) => answer.status === 429);
      assert.equal(refused?.body.errcode, 'M_LIMIT_EXCEEDED');
      assert.ok(refused?.body.retry_after_ms > 0);
      const kept = rooms[answers.findIndex((answer) => answer.status === 200)] ?? '';
      await client.ok('POST', peekPath(kept), {});
    } finally {
      await small.close();
    }
  });

  test('peeks survive a restart, their state is not sent again, and what came meanwhile is', async () => {
    const lasting = await startInProcess({ postgresUrl });
    try {
      const host = await register(lasting.baseUrl, 'host');
      const client = await register(lasting.baseUrl, 'patient');
      const room = await host.createRoom({ initial_state: [visibility('world_readable')] });
      await client.ok('POST', peekPath(room), {});
      const { next_batch: since } = await client.sync();
      await host.send(room, 'before the restart');
      await lasting.restart();
      const later = new TestClient(lasting.baseUrl, session(client));
      await new TestClient(lasting.baseUrl, session(host)).send(room, 'after the restart');
      const section = (await later.sync({ since })).rooms.peek[room];
      assert.deepEqual(bodies(section), ['before the restart', 'after the restart']);
      assert.deepEqual(types(section, 'state'), []);
    } finally {
      await lasting.close();
    }
  });

  function session(client: TestClient) {
    return { user_id: client.userId, device_id: client.deviceId, access_token: client.token };
  }

  for (const who of ['a non-member', 'a guest']) {
    test(`initialSync and events show a world-readable room live to ${who}, and /sync never does`, async () => {
      const room = await openRoom();
      await member.send(room, 'before');
      const client = who === 'a guest' ? await registerGuest(server.baseUrl) : await newUser();
      const first = await client.ok('GET', roomPath(room, 'initialSync?limit=20'));
      assert.equal(first.room_id, room);
      assert.ok(first.state.some((event: Any) => event.type === 'm.room.create'));
      await member.send(room, 'between');
      const poll = `/v3/events?room_id=${encodeURIComponent(room)}&timeout=30000`;
      const events = await client.ok('GET', poll);
      assert.deepEqual(
        events.chunk.map((event: Any) => event.content.body),
        ['between'],
      );
      const waiting = client.ok('GET', `${poll}&from=${events.end}`);
      await server.untilWaiting(client);
      await member.send(room, 'live');
      assert.deepEqual(
        (await waiting).chunk.map((event: Any) => event.content.body),
        ['live'],
      );
      assert.equal((await client.sync()).rooms?.peek?.[room], undefined);
    });
  }

  test('initialSync and events of a room that is not world-readable are refused', async () => {
    const room = await member.createRoom({ preset: 'public_chat' });
    const client = await newUser();
    for (const path of [
      roomPath(room, 'initialSync'),
      `/v3/events?room_id=${encodeURIComponent(room)}&timeout=0`,
    ]) {
      const answer = await client.call('GET', path);
      assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_FORBIDDEN']);
    }
  });

  test('peeking needs a token and a well-formed room', async () => {
    const nobody = await request(server.baseUrl, 'POST', peekPath(await openRoom()), {});
    assert.deepEqual([nobody.status, nobody.body.errcode], [401, 'M_MISSING_TOKEN']);
    const nonsense = await member.call('POST', peekPath('nonsense'), {});
    assert.deepEqual([nonsense.status, nonsense.body.errcode], [400, 'M_INVALID_PARAM']);
  });
}
