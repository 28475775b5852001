// Room lists of other servers: of one that runs, and of one that says what it likes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/protocol/json.ts';
import { request } from '../client.ts';
import { type Asked, HostileServer, Refusal } from './hostile-server.ts';
import { useNetwork } from './scene.ts';

const scene = useNetwork({
  servers: 2,
  direct: true,
  config: { room_directory: { public_over_federation: true, public_without_auth: true } },
});

const PATH = '/v3/publicRooms';
const of = (server: string, more = '') => `${PATH}?server=${encodeURIComponent(server)}${more}`;

const fine = (roomId: string): JsonObject => ({
  room_id: roomId,
  num_joined_members: 3,
  world_readable: true,
  guest_can_join: false,
});

test("another server's list is paged through and searched", async () => {
  const { network } = scene();
  const alice = await network.server(0).user('alice');
  const bob = await network.server(1).user('bob');
  const { name } = network.server(0);
  const topics = ['red', 'green', 'blue'];
  const world = {
    type: 'm.room.history_visibility',
    content: { history_visibility: 'world_readable' },
  };
  for (const topic of topics) {
    await alice.createRoom({
      visibility: 'public',
      preset: 'public_chat',
      topic,
      initial_state: [world],
    });
  }
  const own = await bob.ok('GET', PATH);
  assert.deepEqual(own.chunk, []);
  const whole = await bob.ok('GET', of(name));
  assert.deepEqual(whole, await alice.ok('GET', PATH));
  assert.equal(whole.chunk.length, 3);
  assert.ok(whole.chunk.every((room: JsonObject) => room.world_readable));
  const first = await bob.ok('GET', of(name, '&limit=2'));
  assert.equal(first.total_room_count_estimate, 3);
  const more = `&limit=2&since=${encodeURIComponent(first.next_batch)}`;
  const second = await bob.ok('GET', of(name, more));
  assert.deepEqual([...first.chunk, ...second.chunk], whole.chunk);
  assert.equal(typeof second.prev_batch, 'string');
  const found = await bob.ok('POST', of(name), { filter: { generic_search_term: 'GREEN' } });
  assert.deepEqual(
    found.chunk.map(({ topic }: JsonObject) => topic),
    ['green'],
  );
  const bad = await bob.call('GET', of(name, '&since=nonsense'));
  assert.deepEqual([bad.status, bad.body.errcode], [400, 'M_INVALID_PARAM']);
});

test('who has not signed in does not make this server ask others', async () => {
  const { baseUrl } = scene().network.server(1);
  assert.equal((await request(baseUrl, 'GET', PATH)).status, 200);
  const { status, body } = await request(baseUrl, 'GET', of(scene().network.server(0).name));
  assert.deepEqual([status, body.errcode], [401, 'M_MISSING_TOKEN']);
});

test('what is asked for arrives, and what comes back is read with care', async (t) => {
  const carol = await scene().network.server(1).user('carol');
  const hostile = await HostileServer.start();
  t.after(() => hostile.close());
  let answer: JsonObject = {};
  hostile.on(/publicRooms/, () => answer);
  const asked = (): Asked => hostile.askedFor(/publicRooms/).at(-1) as Asked;
  answer = { chunk: [] };
  await carol.ok('GET', of(hostile.name, '&limit=7&since=a%20b'));
  assert.equal(String(asked().query), 'since=a+b&limit=7');
  assert.equal(asked().method, 'GET');
  await carol.ok('POST', of(hostile.name), { limit: 0, include_all_networks: true });
  assert.equal(String(asked().query), 'limit=1&include_all_networks=true');
  const filter = { generic_search_term: 'x', room_types: ['m.space', null] };
  const third = { third_party_instance_id: 'irc' };
  await carol.ok('POST', of(hostile.name), { limit: 100_000, since: 's', filter, ...third });
  assert.deepEqual(
    [asked().method, asked().body],
    ['POST', { limit: 500, since: 's', filter, ...third }],
  );
  const both = { include_all_networks: true, ...third };
  assert.equal((await carol.call('POST', of(hostile.name), both)).status, 400);

  const good = fine('!good:example.org');
  const text = { name: 'n', topic: 't', room_type: 'r', join_rule: 'knock' };
  const links = { canonical_alias: '#a:example.org', avatar_url: 'mxc://example.org/a' };
  answer = {
    chunk: [
      { ...good, ...text, ...links, evil: 1 },
      {
        ...good,
        name: 1,
        topic: {},
        room_type: null,
        canonical_alias: 'a',
        avatar_url: 'http://x',
      },
      { ...good, room_id: 'nonsense' },
      { ...good, num_joined_members: -1 },
      { ...good, num_joined_members: '3' },
      { ...good, world_readable: 'yes' },
      { ...good, guest_can_join: null },
      null,
      'room',
      [],
    ],
    next_batch: 1,
    prev_batch: 'x'.repeat(5000),
    total_room_count_estimate: 1.5,
    evil: 1,
  };
  assert.deepEqual(await carol.ok('GET', of(hostile.name)), {
    chunk: [{ ...good, ...text, ...links }, good],
  });
  answer = { chunk: Array.from({ length: 30 }, (_, n) => fine(`!r${n}:example.org`)) };
  assert.equal((await carol.ok('GET', of(hostile.name, '&limit=2'))).chunk.length, 2);
});

test('refusals and nonsense are told as such', async (t) => {
  const dave = await scene().network.server(1).user('dave');
  const hostile = await HostileServer.start();
  t.after(() => hostile.close());
  const cases: readonly [() => JsonObject, number, string][] = [
    [() => ({}), 502, 'M_UNKNOWN'],
    [() => ({ chunk: {} }), 502, 'M_UNKNOWN'],
    [() => ({ chunk: ['x'.repeat(5 * 1024 * 1024)] }), 502, 'M_UNKNOWN'],
    [refuse(403, 'M_FORBIDDEN'), 403, 'M_FORBIDDEN'],
    [refuse(400, 'M_INVALID_PARAM'), 400, 'M_INVALID_PARAM'],
    [refuse(429, 'M_LIMIT_EXCEEDED'), 429, 'M_LIMIT_EXCEEDED'],
    [refuse(401, 'M_UNKNOWN_TOKEN'), 502, 'M_UNKNOWN'],
    [refuse(404, 'M_UNRECOGNIZED'), 502, 'M_UNKNOWN'],
  ];
  for (const [handler, status, errcode] of cases) {
    hostile.on(/publicRooms/, handler);
    for (const [method, body] of [['GET'], ['POST', { filter: { room_types: [] } }]] as const) {
      const answer = await dave.call(method, of(hostile.name), body);
      assert.deepEqual([answer.status, answer.body.errcode], [status, errcode]);
    }
  }
  await hostile.close();
  const gone = await dave.call('GET', of(hostile.name));
  assert.deepEqual([gone.status, gone.body.errcode], [502, 'M_UNKNOWN']);
});

function refuse(status: number, errcode: string): () => never {
  return () => {
    throw new Refusal(status, { errcode });
  };
}
