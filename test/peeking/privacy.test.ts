// What a looker may read: what is world-readable, and the current state. Nothing else of other times, by no endpoint,
// and nothing at all once the room is closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerGuest, type TestClient } from '../client.ts';
import {
  type Any,
  bodies,
  change,
  ids,
  join,
  peek,
  peekPath,
  refusal,
  roomPath,
  sectionsOf,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

const SECRET = 'SECRET';

interface MixedRoom {
  readonly room: string;
  /** Of the open time: redacted in the closed one, related to in both. */
  readonly redacted: string;
  readonly message: string;
  /** Of the closed time, superseded since. */
  readonly hidden: readonly string[];
}

/** Open, closed, and open again; what was closed says SECRET, but for state that is still current. */
async function mixedRoom(): Promise<MixedRoom> {
  const s = scene();
  const { member } = s;
  const room = await s.openRoom({ preset: 'public_chat', name: 'A name' });
  const talker = await s.newUser();
  await join(talker, room);
  const redacted = await member.send(room, 'to be redacted');
  const message = await talker.send(room, 'kept');
  await s.setTopic(room, 'open once');
  await s.setVisibility(room, 'joined');
  const hidden = [
    await s.setTopic(room, `${SECRET} topic`),
    await rename(talker, room, `${SECRET} name`),
    await member.send(room, `${SECRET} message`),
    await reply(member, room, message, 'm.thread'),
    await reply(member, room, message, 'm.reference'),
    await edit(talker, room, message),
    await react(member, room, message),
  ];
  const reason = { reason: `${SECRET} reason` };
  const redaction = roomPath(room, `redact/${encodeURIComponent(redacted)}/${room}`);
  hidden.push((await member.ok('PUT', redaction, reason)).event_id);
  await s.setVisibility(room, 'world_readable');
  await talker.send(room, 'open, under the old name');
  await s.setTopic(room, 'open again');
  await rename(talker, room, 'An open name');
  await talker.send(room, 'open, under the new name');
  return { room, redacted, message, hidden };
}

function rename(client: TestClient, room: string, displayname: string): Promise<string> {
  const content = { membership: 'join', displayname };
  return client.setState(room, 'm.room.member', client.userId, content);
}

function reply(client: TestClient, room: string, to: string, rel_type: string): Promise<string> {
  const relation = { rel_type, event_id: to };
  const body = `${SECRET} ${rel_type}`;
  return client.sendEvent(room, 'm.room.message', {
    msgtype: 'm.text',
    body,
    'm.relates_to': relation,
  });
}

function edit(client: TestClient, room: string, original: string): Promise<string> {
  const body = `${SECRET} edit`;
  return client.sendEvent(room, 'm.room.message', {
    msgtype: 'm.text',
    body,
    'm.new_content': { msgtype: 'm.text', body },
    'm.relates_to': { rel_type: 'm.replace', event_id: original },
  });
}

function react(client: TestClient, room: string, to: string): Promise<string> {
  const relation = { rel_type: 'm.annotation', event_id: to, key: SECRET };
  return client.sendEvent(room, 'm.reaction', { 'm.relates_to': relation });
}

/** Every GET by which somebody outside may read the room. */
function reads({ room, message, redacted }: MixedRoom): string[] {
  const [one, other] = [encodeURIComponent(message), encodeURIComponent(redacted)];
  const lazy = encodeURIComponent(JSON.stringify({ lazy_load_members: true }));
  return [
    'messages?dir=b&limit=100',
    'messages?dir=f&limit=100',
    `messages?dir=b&limit=3&filter=${lazy}`,
    `messages?dir=f&limit=4&filter=${lazy}`,
    `context/${one}?limit=50`,
    `context/${other}?limit=3&filter=${lazy}`,
    `event/${one}`,
    `event/${other}`,
    'state',
    'state/m.room.topic/',
    'members',
    'aliases',
    'initialSync?limit=100',
    'initialSync?limit=2',
  ].map((rest) => roomPath(room, rest));
}

function relationPaths({ room, message }: MixedRoom): string[] {
  const path = `/v1/rooms/${encodeURIComponent(room)}/relations/${encodeURIComponent(message)}`;
  const kinds = ['', '/m.thread', '/m.replace', '/m.reference', '/m.annotation'];
  return kinds.flatMap((kind) => [`${path}${kind}`, `${path}${kind}?recurse=true&dir=f`]);
}

test('nothing of a closed time shows by /sync, whatever the filter', async () => {
  const mixed = await mixedRoom();
  const client = await scene().newUser();
  await peek(client, mixed.room);
  for (let limit = 0; limit <= 12; limit += 1) {
    for (const lazy_load_members of [true, false]) {
      for (const more of [{}, { use_state_after: 'true' }]) {
        const room = { timeline: { limit }, state: { lazy_load_members } };
        const answer = await client.sync({ filter: JSON.stringify({ room }), ...more });
        assert.deepEqual(sectionsOf(answer, mixed.room), ['peek']);
        const text = JSON.stringify(answer);
        const how = `limit ${limit}, lazy ${lazy_load_members}, ${JSON.stringify(more)}`;
        assert.ok(!text.includes(SECRET), how);
        for (const id of mixed.hidden) {
          // That the message was redacted is seen anyway, and by what.
          if (id !== mixed.hidden.at(-1)) assert.ok(!text.includes(id), how);
        }
      }
    }
  }
});

test('nor in the federation format, but for the ids by which events refer to others', async () => {
  const mixed = await mixedRoom();
  const client = await scene().newUser();
  await peek(client, mixed.room);
  const filter = { event_format: 'federation', room: { timeline: { limit: 100 } } };
  const answer = await client.sync({ filter: JSON.stringify(filter) });
  assert.ok(!JSON.stringify(answer).includes(SECRET));
});

test('nor by any other endpoint, peek or not', async () => {
  const mixed = await mixedRoom();
  const looker = await scene().newUser();
  await peek(looker, mixed.room);
  for (const client of [looker, await scene().newUser()]) {
    for (const path of [...reads(mixed), ...relationPaths(mixed)]) {
      assert.ok(!JSON.stringify(await client.ok('GET', path)).includes(SECRET), path);
    }
    for (const id of mixed.hidden) {
      const event = encodeURIComponent(id);
      for (const path of [`event/${event}`, `context/${event}`]) {
        const answer = await refusal(client, ['GET', roomPath(mixed.room, path)]);
        assert.deepEqual(answer, [404, 'M_NOT_FOUND'], path);
      }
      const relations = `/v1/rooms/${encodeURIComponent(mixed.room)}/relations/${event}`;
      assert.deepEqual(await refusal(client, ['GET', relations]), [404, 'M_NOT_FOUND']);
    }
  }
});

test('members see all of it, with what was replaced and why it was redacted', async () => {
  const { room, redacted } = await mixedRoom();
  const { member } = scene();
  const event = await member.ok('GET', roomPath(room, `event/${encodeURIComponent(redacted)}`));
  assert.equal(event.unsigned.redacted_because.content.reason, `${SECRET} reason`);
  const { chunk } = await member.ok('GET', roomPath(room, 'messages?dir=b&limit=100'));
  const topic = chunk.find((found: Any) => found.content.topic === 'open again');
  assert.equal(topic.unsigned.prev_content.topic, `${SECRET} topic`);
  assert.equal(typeof topic.unsigned.replaces_state, 'string');
});

test('a redacted event is shown as such, with its reason where that was said in the open', async () => {
  const { member } = scene();
  const mixed = await mixedRoom();
  const event = encodeURIComponent(mixed.message);
  const redact = roomPath(mixed.room, `redact/${event}/${mixed.room}2`);
  await member.ok('PUT', redact, { reason: 'said in the open' });
  const client = await scene().newUser();
  const reasonOf = async (id: string) => {
    const found = await client.ok('GET', roomPath(mixed.room, `event/${encodeURIComponent(id)}`));
    assert.equal(found.content.body, undefined);
    assert.equal(found.unsigned.redacted_because.type, 'm.room.redaction');
    return found.unsigned.redacted_because.content.reason;
  };
  assert.equal(await reasonOf(mixed.message), 'said in the open');
  assert.equal(await reasonOf(mixed.redacted), undefined);
});

test('what stands on the last page of a peek, prev_batch leads on from in both directions', async () => {
  const room = await scene().openRoom();
  await scene().lines(room, 25);
  const client = await scene().newUser();
  await peek(client, room);
  const { timeline } = (await client.sync()).rooms.peek[room];
  const page = async (dir: string) => {
    const from = encodeURIComponent(timeline.prev_batch);
    const path = `messages?dir=${dir}&from=${from}&limit=100`;
    const { chunk } = await client.ok('GET', roomPath(room, path));
    return bodies({ timeline: { events: chunk } });
  };
  assert.deepEqual(bodies({ timeline })[0], 'line 15');
  assert.deepEqual((await page('b')).slice(0, 2), ['line 14', 'line 13']);
  const forwards = await page('f');
  assert.deepEqual([forwards[0], forwards.at(-1)], ['line 15', 'line 24']);
});

test('once the room is closed, no endpoint tells strangers anything', async () => {
  const mixed = await mixedRoom();
  const looker = await scene().newUser();
  const guest = await registerGuest(scene().server.baseUrl);
  await peek(looker, mixed.room);
  await peek(guest, mixed.room);
  await scene().setVisibility(mixed.room, 'shared');
  const open = await scene().member.ok('GET', roomPath(mixed.room, 'messages?dir=b&limit=100'));
  for (const client of [looker, guest]) {
    for (const path of reads(mixed)) {
      const [status, errcode] = await refusal(client, ['GET', path]);
      const isOfEvent = path.includes('/event/');
      if (errcode === 'M_GUEST_ACCESS_FORBIDDEN') assert.equal(status, 403);
      else
        assert.deepEqual(
          [status, errcode],
          isOfEvent ? [404, 'M_NOT_FOUND'] : [403, 'M_FORBIDDEN'],
          path,
        );
    }
    for (const path of relationPaths(mixed)) {
      assert.equal((await refusal(client, ['GET', path]))[0], 404, path);
    }
    for (const { event_id } of open.chunk) {
      const path = roomPath(mixed.room, `event/${encodeURIComponent(event_id)}`);
      assert.deepEqual(await refusal(client, ['GET', path]), [404, 'M_NOT_FOUND']);
    }
    assert.deepEqual(await refusal(client, ['POST', peekPath(mixed.room), {}]), [
      403,
      'M_FORBIDDEN',
    ]);
  }
});

test('an open room is read without a peek; who is in it is for its members to list', async () => {
  const mixed = await mixedRoom();
  const client = await scene().newUser();
  for (const path of reads(mixed)) assert.equal((await refusal(client, ['GET', path]))[0], 200);
  const joined = roomPath(mixed.room, 'joined_members');
  assert.deepEqual(await refusal(client, ['GET', joined]), [403, 'M_FORBIDDEN']);
  assert.deepEqual((await client.ok('GET', '/v3/joined_rooms')).joined_rooms, []);
});

test('lookers change nothing: they send, redact, type, read, invite and kick not', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  const { member } = scene();
  const event = encodeURIComponent(await member.send(room, 'for all to see'));
  const me = encodeURIComponent(client.userId);
  const marker = { 'm.fully_read': decodeURIComponent(event) };
  const other = { user_id: member.userId };
  const attempts: [string, string, unknown][] = [
    ['PUT', 'send/m.room.message/t1', { msgtype: 'm.text', body: 'hello' }],
    ['PUT', 'state/m.room.topic/', { topic: 'mine' }],
    ['PUT', `redact/${event}/t2`, {}],
    ['PUT', `typing/${me}`, { typing: true, timeout: 30_000 }],
    ['POST', `receipt/m.read/${event}`, {}],
    ['POST', `receipt/m.read.private/${event}`, {}],
    ['POST', 'read_markers', marker],
    ['POST', 'invite', other],
    ['POST', 'kick', other],
    ['POST', 'ban', other],
  ];
  for (const [method, path, body] of attempts) {
    const answer = await refusal(client, [method, roomPath(room, path), body]);
    assert.deepEqual(answer, [403, 'M_FORBIDDEN'], path);
  }
  const { rooms } = await client.sync({ since });
  assert.deepEqual(bodies(rooms.peek[room]), ['for all to see']);
});

test('a peek never carries typing, receipts, presence, counts, account data, messages or device lists', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  const { member } = scene();
  const guest = await scene().newUser();
  await change(member, room, 'invite', guest);
  await join(guest, room);
  const event = await guest.send(room, `hello ${client.userId}`);
  const typing = roomPath(room, `typing/${encodeURIComponent(member.userId)}`);
  await member.ok('PUT', typing, { typing: true, timeout: 30_000 });
  await member.ok('POST', roomPath(room, `receipt/m.read/${encodeURIComponent(event)}`), {});
  await member.ok('PUT', `/v3/presence/${encodeURIComponent(member.userId)}/status`, {
    presence: 'online',
  });
  const tag = `/v3/user/${encodeURIComponent(client.userId)}/rooms/${encodeURIComponent(room)}/tags/u.mine`;
  await client.ok('PUT', tag, { order: 0.5 });
  for (const answer of [await client.sync({ since }), await client.sync()]) {
    const section = answer.rooms.peek[room];
    assert.ok(
      Object.keys(section).every((key) => ['summary', 'state', 'timeline'].includes(key)),
      Object.keys(section).join(),
    );
    const senders = (answer.presence?.events ?? []).map((found: Any) => found.sender);
    assert.deepEqual(
      senders.filter((sender: string) => sender !== client.userId),
      [],
    );
    assert.equal(answer.to_device, undefined);
    assert.equal(answer.device_lists, undefined);
  }
  assert.deepEqual((await client.ok('GET', '/v3/notifications')).notifications, []);
});

test('who looked is not told of messages from before her joining as unread', async () => {
  const room = await scene().openRoom({ preset: 'public_chat' });
  const { client, since } = await scene().looking(room);
  await scene().member.send(room, `before ${client.userId}`);
  await join(client, room);
  const first = await client.sync({ since });
  const counts = (answer: Any) => answer.rooms.join[room].unread_notifications;
  assert.deepEqual(counts(first), { notification_count: 0, highlight_count: 0 });
  await scene().member.send(room, 'after');
  const next = await client.sync({ since: first.next_batch });
  assert.equal(counts(next).notification_count, 1);
});

test('messages of ignored users are not shown, their state is', async () => {
  const room = await scene().openRoom({ preset: 'public_chat' });
  const talker = await scene().newUser();
  await join(talker, room);
  const { client, since } = await scene().looking(room);
  const path = `/v3/user/${encodeURIComponent(client.userId)}/account_data/m.ignored_user_list`;
  await client.ok('PUT', path, { ignored_users: { [talker.userId]: {} } });
  await talker.send(room, 'unheard');
  const renamed = await rename(talker, room, 'Another name');
  const { rooms } = await client.sync({ since });
  assert.deepEqual(ids(rooms.peek[room]), [renamed]);
  await talker.send(room, 'unheard, too');
  await unpeek(client, room);
  assert.ok(!JSON.stringify(await client.sync({ since })).includes('unheard'));
});

test('redacting the event that opened the room closes nothing; that which encrypted it opens nothing', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  const { member } = scene();
  const state = await member.ok('GET', roomPath(room, 'state'));
  const opening = state.find((event: Any) => event.type === 'm.room.history_visibility');
  const redact = (id: string) =>
    member.ok('PUT', roomPath(room, `redact/${encodeURIComponent(id)}/${id}`), {});
  await redact(opening.event_id);
  await member.send(room, 'still open');
  const { rooms } = await client.sync({ since });
  assert.deepEqual(bodies(rooms.peek[room]), ['still open']);
  await redact(await scene().encrypt(room));
  assert.deepEqual(await refusal(client, ['POST', peekPath(room), {}]), [403, 'M_FORBIDDEN']);
});
