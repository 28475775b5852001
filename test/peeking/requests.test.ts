// What POST /peek and POST /unpeek answer to requests of every kind: one test per row of the table of errors in
// docs/peeking.md, and what refusals leave behind: nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register, registerGuest, request } from '../client.ts';
import { startInProcess } from '../server-in-process.ts';
import {
  change,
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

const PREFIXES = ['r0', 'v1', 'v3', 'unstable/org.matrix.msc2753'];

const pathsOf = (prefix: string, room: string) => [
  `/${prefix}/peek/${encodeURIComponent(room)}`,
  `/${prefix}/rooms/${encodeURIComponent(room)}/peek`,
];
const endOf = (prefix: string, room: string) =>
  `/${prefix}/rooms/${encodeURIComponent(room)}/unpeek`;

test('every path starts a peek, by ID and by alias, and every path ends it', async () => {
  const room = await scene().openRoom({ room_alias_name: 'named' });
  const client = await scene().newUser();
  for (const prefix of PREFIXES) {
    for (const name of [room, '#named:localhost']) {
      for (const path of pathsOf(prefix, name)) {
        const answer = await client.ok('POST', path, { servers: ['localhost'] });
        const peek_expiry_ts = scene().server.clock.now() + 3_600_000;
        assert.deepEqual(answer, { room_id: room, peek_expiry_ts }, path);
        assert.deepEqual(await client.ok('POST', endOf(prefix, room), {}), {});
      }
    }
  }
});

test('405 M_UNRECOGNIZED: another method', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  for (const prefix of PREFIXES) {
    for (const path of [...pathsOf(prefix, room), endOf(prefix, room)]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const body = method === 'GET' ? undefined : {};
        const answer = await refusal(client, [method, path, body]);
        assert.deepEqual(answer, [405, 'M_UNRECOGNIZED'], `${method} ${path}`);
      }
    }
  }
});

test('a body may be absent', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  await client.ok('POST', peekPath(room));
  await client.ok('POST', roomPath(room, 'unpeek'));
});

test('401 M_MISSING_TOKEN, M_UNKNOWN_TOKEN: without a token, or with one that is none', async () => {
  const room = await scene().openRoom();
  const { baseUrl } = scene().server;
  for (const path of [peekPath(room), roomPath(room, 'unpeek')]) {
    const without = await request(baseUrl, 'POST', path, {});
    assert.deepEqual([without.status, without.body.errcode], [401, 'M_MISSING_TOKEN']);
    const wrong = await request(baseUrl, 'POST', path, {}, 'wrong');
    assert.deepEqual([wrong.status, wrong.body.errcode], [401, 'M_UNKNOWN_TOKEN']);
  }
});

test('400 M_BAD_JSON, M_NOT_JSON: a body that is no object, or with servers that are no list of text', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  for (const body of [[], 'text', 5, { servers: 'localhost' }, { servers: [5] }]) {
    assert.deepEqual(await refusal(client, ['POST', peekPath(room), body]), [400, 'M_BAD_JSON']);
  }
  for (const body of [[], 'text']) {
    const end = ['POST', roomPath(room, 'unpeek'), body] as const;
    assert.deepEqual(await refusal(client, end), [400, 'M_BAD_JSON']);
  }
  const response = await fetch(`${scene().server.baseUrl}/_matrix/client${peekPath(room)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
    body: '{',
  });
  const { errcode } = (await response.json()) as { errcode: string };
  assert.deepEqual([response.status, errcode], [400, 'M_NOT_JSON']);
});

test('400 M_INVALID_PARAM: neither room ID nor alias, or a server name that is none', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  const long = `!${'a'.repeat(300)}`;
  for (const name of ['nonsense', '!', '#alias', '@user:localhost', long]) {
    const answer = await refusal(client, ['POST', peekPath(name), {}]);
    assert.deepEqual(answer, [400, 'M_INVALID_PARAM'], name);
    assert.equal((await refusal(client, ['POST', roomPath(name, 'unpeek'), {}]))[0], 400);
  }
  const servers = ['not a server'];
  for (const [path, body] of [
    [peekPath(room), { servers }],
    [`${peekPath(room)}?via=%20`, {}],
    [`${peekPath(room)}?server_name=a%2Fb`, {}],
  ] as const) {
    assert.deepEqual(await refusal(client, ['POST', path, body]), [400, 'M_INVALID_PARAM'], path);
  }
});

test('400 M_BAD_STATE: peeking as a member; unpeeking what is not peeked', async () => {
  const room = await scene().openRoom({ preset: 'public_chat' });
  const client = await scene().newUser();
  const end = ['POST', roomPath(room, 'unpeek'), {}] as const;
  assert.deepEqual(await refusal(client, end), [400, 'M_BAD_STATE']);
  const nowhere = roomPath('!nowhere:localhost', 'unpeek');
  assert.deepEqual(await refusal(client, ['POST', nowhere, {}]), [400, 'M_BAD_STATE']);
  await peek(client, room);
  scene().server.clock.advance(3_600_000);
  assert.deepEqual(await refusal(client, end), [400, 'M_BAD_STATE']);
  await peek(client, room);
  await scene().setVisibility(room, 'shared');
  assert.deepEqual(await refusal(client, end), [400, 'M_BAD_STATE']);
  await join(client, room);
  assert.deepEqual(await refusal(client, ['POST', peekPath(room), {}]), [400, 'M_BAD_STATE']);
  // A peek by initialSync is none of /sync.
  const other = await scene().openRoom();
  await client.ok('GET', roomPath(other, 'initialSync'));
  const legacy = ['POST', roomPath(other, 'unpeek'), {}] as const;
  assert.deepEqual(await refusal(client, legacy), [400, 'M_BAD_STATE']);
});

test('404 M_NOT_FOUND: no such room, no such alias, or one that leads to a room that is gone', async () => {
  const room = await scene().openRoom({ room_alias_name: 'gone' });
  const { roomserver } = scene().server.keyhole.components;
  const { client } = await scene().looking(room);
  await roomserver.api.performPurge({ roomId: room as never });
  const aliases = ['#gone:localhost', '#nowhere:localhost', '#nowhere:elsewhere.example'];
  for (const name of [room, '!nowhere:localhost', ...aliases]) {
    assert.deepEqual(await refusal(client, ['POST', peekPath(name), {}]), [404, 'M_NOT_FOUND']);
  }
  // Nobody can say what a server has that cannot be reached.
  const elsewhere = ['POST', peekPath('!nowhere:elsewhere.example'), {}] as const;
  assert.deepEqual(await refusal(client, elsewhere), [502, 'M_UNKNOWN']);
  const end = ['POST', roomPath(room, 'unpeek'), {}] as const;
  assert.deepEqual(await refusal(client, end), [400, 'M_BAD_STATE']);
});

for (const visibility of [
  'shared',
  'invited',
  'joined',
  'of a kind that nobody knows',
  undefined,
]) {
  test(`403 M_FORBIDDEN: the history visibility is ${visibility ?? 'absent'}`, async () => {
    const room = await scene().openRoom({ room_alias_name: `closed-${names++}` });
    await scene().member.setState(room, 'm.room.history_visibility', '', {
      ...(visibility !== undefined && { history_visibility: visibility }),
    });
    const client = await scene().newUser();
    for (const name of [room, `#closed-${names - 1}:localhost`]) {
      assert.deepEqual(await refusal(client, ['POST', peekPath(name), {}]), [403, 'M_FORBIDDEN']);
    }
    assert.deepEqual(sectionsOf(await client.sync(), room), []);
  });
}

let names = 0;

test('403 M_FORBIDDEN: the room is encrypted, whatever its visibility', async () => {
  const room = await scene().openRoom();
  await scene().encrypt(room);
  const client = await scene().newUser();
  assert.deepEqual(await refusal(client, ['POST', peekPath(room), {}]), [403, 'M_FORBIDDEN']);
});

test('join rules and guest access decide nothing, invitations and knocks neither', async () => {
  const room = await scene().openRoom({ preset: 'private_chat' });
  await scene().member.setState(room, 'm.room.guest_access', '', { guest_access: 'forbidden' });
  const invited = await scene().newUser();
  await change(scene().member, room, 'invite', invited);
  const guest = await registerGuest(scene().server.baseUrl);
  for (const client of [invited, guest, await scene().newUser()]) {
    await peek(client, room);
    assert.ok(sectionsOf(await client.sync(), room).includes('peek'));
  }
});

for (const version of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']) {
  test(`rooms of version ${version} are looked into`, async () => {
    const room = await scene().openRoom({ room_version: version });
    const { client, since } = await scene().looking(room);
    await scene().setTopic(room, 'seen');
    const { rooms } = await client.sync({ since });
    assert.equal(rooms.peek[room].timeline.events[0].content.topic, 'seen');
    await unpeek(client, room);
  });
}

test('429 M_LIMIT_EXCEEDED: too many requests; reading is not counted with it', async () => {
  const server = await startInProcess({
    config: { rate_limits: { enabled: true, peek: { per_second: 1, burst: 3 } } },
  });
  try {
    const host = await register(server.baseUrl, 'host');
    const type = 'm.room.history_visibility';
    const content = { history_visibility: 'world_readable' };
    const room = await host.createRoom({ initial_state: [{ type, state_key: '', content }] });
    const client = await register(server.baseUrl, 'eager');
    for (let n = 0; n < 3; n += 1) await peek(client, room);
    const answer = await client.call('POST', peekPath(room), {});
    assert.deepEqual([answer.status, answer.body.errcode], [429, 'M_LIMIT_EXCEEDED']);
    assert.ok(answer.body.retry_after_ms > 0 && answer.body.retry_after_ms <= 1_000);
    assert.equal((await client.call('GET', roomPath(room, 'initialSync'))).status, 429);
    assert.ok(sectionsOf(await client.sync(), room).includes('peek'));
    server.clock.advance(answer.body.retry_after_ms);
    await peek(client, room);
  } finally {
    await server.close();
  }
});
