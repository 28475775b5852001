// That docs/peeking.md is true: its examples are answers of a server, and each of its errors comes about.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { registerGuest, request, type TestClient } from '../client.ts';
import { startInProcess } from '../server-in-process.ts';
import { type Any, join, peek, peekPath, roomPath, Scene, unpeek, useScene } from './scene.ts';

const scene = useScene();

const TEXT = readFileSync(new URL('../../docs/peeking.md', import.meta.url), 'utf8');

const EXAMPLES: readonly Any[] = Array.from(TEXT.matchAll(/```json\n(.*?)```/gs), ([, json = '']) =>
  JSON.parse(json),
);

/** Identifiers and tokens are of another run: of them only the kind is told. */
function isLike(actual: Any, example: Any): void {
  if (typeof example === 'string' && /^([!$@]|[ps]1_)/.test(example)) {
    assert.equal(typeof actual, 'string');
    assert.equal(actual[0], example[0]);
  } else if (Array.isArray(example)) {
    const listed = example.filter((item) => item !== '…');
    if (listed.length === example.length) assert.equal(actual.length, example.length);
    for (const item of listed) isLike(actual.find(isOfType(item)), item);
  } else if (typeof example === 'object' && example !== null) {
    const rooms = Object.keys(example).filter((key) => key.startsWith('!'));
    const named = rooms.length === 0 ? actual : { [rooms[0] as string]: Object.values(actual)[0] };
    const told = Object.fromEntries(Object.keys(example).map((key) => [key, named[key]]));
    assert.deepEqual(
      Object.keys(named)
        .filter((key) => !BESIDES.has(key))
        .sort(),
      Object.keys(example).sort(),
    );
    for (const key of Object.keys(example)) isLike(told[key], example[key]);
  } else {
    assert.equal(actual, example);
  }
}

/** What a sync also holds, and has nothing to do with peeking. */
const BESIDES = new Set([
  'account_data',
  'presence',
  'device_lists',
  'device_one_time_keys_count',
  'device_unused_fallback_key_types',
]);

const isOfType = (example: Any) => (actual: Any) => actual.type === example.type;

test('the examples are what a server answers', async () => {
  const { member } = scene();
  const more = { name: 'Lobby', room_alias_name: 'lobby', room_version: '11' };
  const room = await scene().openRoom({ ...more, preset: 'public_chat' });
  await member.send(room, 'hello');
  const client = await scene().newUser();
  const answers: Any[] = [await client.ok('POST', peekPath('#lobby:localhost'), {})];
  const first = await client.sync({ filter: '{"room":{"timeline":{"limit":1}}}' });
  answers.push(first);
  await member.send(room, 'just one more thing');
  answers.push(await unpeek(client, room), await client.sync({ since: first.next_batch }));
  await client.ok('GET', roomPath(room, 'initialSync'));
  await member.send(room, 'live');
  answers.push(await client.ok('GET', `/v3/events?room_id=${encodeURIComponent(room)}&timeout=0`));
  assert.equal(answers.length, EXAMPLES.length);
  for (const [index, answer] of answers.entries()) isLike(answer, EXAMPLES[index]);
});

interface Row {
  readonly status: number;
  readonly errcode: string;
  readonly error: string;
}

const ERRORS = TEXT.slice(TEXT.indexOf('## Errors'), TEXT.indexOf('## Limits'));

const ROWS: readonly Row[] = Array.from(
  ERRORS.matchAll(/^\| (4\d\d) \| `(\w+)` \| (.*?) \|/gm),
  ([, status, errcode = '', error = '']) => ({ status: Number(status), errcode, error }),
);

type Answer = { readonly status: number; readonly body: Any };

/** In the order of the table. */
const CASES: readonly ((client: TestClient) => Promise<Answer>)[] = [
  async (client) => {
    const room = await scene().openRoom({ preset: 'public_chat' });
    await join(client, room);
    return client.call('POST', peekPath(room), {});
  },
  (client) => client.call('POST', roomPath('!nowhere:localhost', 'unpeek'), {}),
  (client) => client.call('POST', peekPath('nonsense'), {}),
  (client) => client.call('POST', peekPath('!room:localhost'), { servers: ['not a server'] }),
  (client) => client.call('POST', peekPath('!room:localhost'), []),
  (client) => client.call('POST', peekPath('!room:localhost'), { servers: 'localhost' }),
  async ({ baseUrl, token }) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const url = `${baseUrl}/_matrix/client${peekPath('!room:localhost')}`;
    const response = await fetch(url, { method: 'POST', headers, body: '{' });
    return { status: response.status, body: await response.json() };
  },
  ({ baseUrl }) => request(baseUrl, 'POST', peekPath('!room:localhost'), {}),
  ({ baseUrl }) => request(baseUrl, 'POST', peekPath('!room:localhost'), {}, 'unknown'),
  async (client) => client.call('POST', peekPath(await scene().room('shared')), {}),
  async (client) => {
    const room = await scene().openRoom();
    await scene().encrypt(room);
    return client.call('POST', peekPath(room), {});
  },
  async (client) => {
    const room = await scene().room('shared');
    return client.call('GET', `/v3/events?room_id=${encodeURIComponent(room)}`);
  },
  async ({ baseUrl }) => (await registerGuest(baseUrl)).call('GET', '/v3/events'),
  (client) => client.call('POST', peekPath('!nowhere:localhost'), {}),
  (client) => client.call('POST', peekPath('#nowhere:localhost'), {}),
  (client) => client.call('GET', peekPath('!room:localhost')),
  () => withLimits({ peeking: { max_per_user: 1 } }, 2, 1),
  () => withLimits({ peeking: { max_per_room: 1 } }, 1, 2),
  () => withLimits({ rate_limits: { enabled: true, peek: { per_second: 1, burst: 1 } } }, 2, 1),
];

/** The answer to the last of some peeks: of users one after the other, each into some rooms. */
async function withLimits(
  config: Record<string, unknown>,
  rooms: number,
  users: number,
): Promise<Answer> {
  const server = await startInProcess({ config });
  try {
    const other = new Scene(server, scene().member);
    const host = new Scene(server, await other.newUser());
    const roomIds: string[] = [];
    for (let n = 0; n < rooms; n += 1) roomIds.push(await host.openRoom());
    let answer: Answer | undefined;
    for (let n = 0; n < users; n += 1) {
      const client = await host.newUser();
      for (const room of roomIds) answer = await client.call('POST', peekPath(room), {});
    }
    assert.ok(answer);
    assert.ok(answer.body.retry_after_ms > 0);
    return answer;
  } finally {
    await server.close();
  }
}

test('the table lists as many errors as are brought about here', () => {
  assert.equal(ROWS.length, CASES.length);
});

ROWS.forEach(({ status, errcode, error }, index) => {
  test(`${status} ${errcode}: ${error}`, async () => {
    const answer = await CASES[index]?.(await scene().newUser());
    assert.ok(answer);
    const { body } = answer;
    assert.deepEqual([answer.status, body.errcode, body.error], [status, errcode, error]);
  });
});

test('what it says of the end of /events and initialSync: the event that closes the room, then 403', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  await peek(client, room);
  const poll = `/v3/events?room_id=${encodeURIComponent(room)}`;
  await client.ok('GET', roomPath(room, 'initialSync'));
  await scene().setVisibility(room, 'shared');
  const told = await client.ok('GET', poll);
  assert.deepEqual(
    told.chunk.map((event: Any) => event.type),
    ['m.room.history_visibility'],
  );
  assert.equal((await client.call('GET', `${poll}&from=${told.end}`)).status, 403);
  assert.equal((await client.call('GET', roomPath(room, 'initialSync'))).status, 403);
});
