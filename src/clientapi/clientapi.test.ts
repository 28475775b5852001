// The routes over HTTP, with components that only write down what they are asked.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/until.ts';
import { ManualClock } from '../clock.ts';
import type { Requester } from '../http/route.ts';
import { startTestServer, type TestServer } from '../http/testing.ts';
import { MatrixError } from '../protocol/error.ts';
import type { DeviceId, ServerName, UserId } from '../protocol/identifiers.ts';
import { createClientapi } from './clientapi.ts';
import type { ClientapiDependencies } from './context.ts';

const ROOM = '!room:example.org';
const ROOM_PATH = encodeURIComponent(ROOM);

type Call = readonly [method: string, request: Readonly<Record<string, unknown>>];
type Answers = Readonly<Record<string, unknown>>;

interface Harness extends TestServer {
  readonly calls: readonly Call[];
  as(user: string, method: string, path: string, body?: object): ReturnType<TestServer['fetch']>;
}

/** Components answer what `answers` has for the method, as a value or a function; written position 7 by default. */
async function start(t: TestContext, answers: Answers = {}): Promise<Harness> {
  const calls: Call[] = [];
  const component = new Proxy(
    {},
    {
      get: (_, method: string) => async (request: Readonly<Record<string, unknown>>) => {
        calls.push([method, request]);
        const answer = answers[method];
        if (typeof answer === 'function') return answer(request);
        return answer ?? { position: 7 };
      },
    },
  );
  const dependencies = {
    roomserver: component,
    syncserver: component,
    userserver: component,
    mediaserver: component,
    eventLog: { publishEphemeral: () => {} },
    database: {},
    clock: new ManualClock(),
    serverName: 'example.org' as ServerName,
    config: { registration: {}, defaultRoomVersion: '12', maxUploadBytes: 1000 },
  } as unknown as ClientapiDependencies;
  const { routes } = createClientapi(dependencies);
  const server = await startTestServer(t, routes, { authenticate: async (token) => userOf(token) });
  return {
    ...server,
    calls,
    as: (user, method, path, body) =>
      server.fetch(`/_matrix/client${path}`, {
        method,
        headers: { authorization: `Bearer ${user}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}

function userOf(name: string): Requester {
  const deviceId = `D-${name}` as DeviceId;
  const userId = `@${name}:example.org` as UserId;
  return { userId, deviceId, isGuest: name === 'guest', accessTokenId: name };
}

function asked(calls: readonly Call[], method: string): Readonly<Record<string, unknown>>[] {
  return calls.filter(([name]) => name === method).map(([, request]) => ({ ...request }));
}

test('a write is answered after it has become visible', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await start(t, {
    performSendEvent: { position: 41, eventId: '$sent' },
    waitForPositions: () => promise,
  });
  let isAnswered = false;
  const path = `/v3/rooms/${ROOM_PATH}/send/m.room.message/t1`;
  const answer = server.as('alice', 'PUT', path, { body: 'hi' }).finally(() => {
    isAnswered = true;
  });
  await until(() => asked(server.calls, 'waitForPositions').length > 0);
  assert.equal(isAnswered, false);
  assert.deepEqual(asked(server.calls, 'waitForPositions'), [{ rooms: 41 }]);
  resolve();
  assert.deepEqual((await answer).json, { event_id: '$sent' });
});

test('transaction ids belong to device, room and event type', async (t) => {
  const server = await start(t, { performSendEvent: { position: 1, eventId: '$e' } });
  await server.as('alice', 'PUT', `/r0/rooms/${ROOM_PATH}/send/m.test/t%2F1`, {});
  await server.as('alice', 'PUT', `/v3/rooms/${ROOM_PATH}/redact/$e/t1`, { reason: 'no' });
  const [sent, redacted] = asked(server.calls, 'performSendEvent');
  const key = { userId: '@alice:example.org', deviceId: 'D-alice' };
  assert.deepEqual(sent?.transaction, { ...key, scope: `send/${ROOM}/m.test`, id: 't/1' });
  assert.deepEqual(redacted?.transaction, { ...key, scope: `redact/${ROOM}/$e`, id: 't1' });
  assert.deepEqual([redacted?.redacts, redacted?.content], ['$e', { reason: 'no' }]);
});

test('a redaction sent as an event names its target in the content', async (t) => {
  const server = await start(t, { performSendEvent: { position: 1, eventId: '$e' } });
  const path = `/v3/rooms/${ROOM_PATH}/send/m.room.redaction/t`;
  await server.as('alice', 'PUT', path, { redacts: '$target', reason: 'no' });
  const [sent] = asked(server.calls, 'performSendEvent');
  assert.deepEqual([sent?.redacts, sent?.content], ['$target', { reason: 'no' }]);
  const bad = await server.as('alice', 'PUT', path, { redacts: 1 });
  assert.deepEqual([bad.status, bad.json.errcode], [400, 'M_INVALID_PARAM']);
});

test('the empty state key may be left out of the path', async (t) => {
  const server = await start(t, { performSendEvent: { position: 1, eventId: '$e' } });
  const base = `/v3/rooms/${ROOM_PATH}/state/m.test`;
  for (const path of [base, `${base}/`, `${base}/key`, `${base}/a%2Fb`]) {
    assert.equal((await server.as('alice', 'PUT', path, {})).status, 200, path);
  }
  const keys = asked(server.calls, 'performSendEvent').map((request) => request.stateKey);
  assert.deepEqual(keys, ['', '', 'key', 'a/b']);
});

test('a join carries the profile and what the client adds, but no say in the rules', async (t) => {
  const server = await start(t, {
    queryProfile: { displayname: 'Alice', avatar_url: 'mxc://a/b', 'm.tz': 'Europe/Berlin' },
    performJoin: { position: 1, roomId: ROOM },
  });
  await server.as('alice', 'POST', `/v3/join/${ROOM_PATH}?via=a.example&server_name=b.example`, {
    reason: 'curious',
    foo: 'bar',
    membership: 'ban',
    join_authorised_via_users_server: '@eve:example.org',
  });
  const [{ content, serverNames } = {}] = asked(server.calls, 'performJoin');
  const profile = { displayname: 'Alice', avatar_url: 'mxc://a/b' };
  assert.deepEqual(content, { ...profile, reason: 'curious', foo: 'bar' });
  assert.deepEqual(serverNames, ['a.example', 'b.example']);
});

test('peeks are taken under every path, with servers from body and query', async (t) => {
  const server = await start(t, {
    performPeek: { position: 3, roomId: ROOM, expiryTs: 5 },
    queryAlias: { roomId: ROOM },
  });
  const unstable = 'unstable/org.matrix.msc2753';
  const paths = ['r0', 'v3', unstable].map((prefix) => `/${prefix}/peek/%23a:example.org`);
  const others = ['r0', 'v1', 'v3'].map((prefix) => `/${prefix}/rooms/${ROOM_PATH}/peek`);
  for (const path of [...paths, ...others]) {
    const query = '?server_name=b.example&via=c.example&via=a.example';
    const answer = await server.as('guest', 'POST', path + query, { servers: ['a.example'] });
    assert.deepEqual(answer.json, { room_id: ROOM, peek_expiry_ts: 5 }, path);
  }
  for (const { serverNames, via, deviceId } of asked(server.calls, 'performPeek')) {
    assert.deepEqual(serverNames, ['a.example', 'b.example', 'c.example']);
    assert.deepEqual([via, deviceId], ['sync', 'D-guest']);
  }
  assert.equal(asked(server.calls, 'checkPeekLimits').length, 6);
  assert.ok(asked(server.calls, 'checkPeekLimits').every(({ roomId }) => roomId === ROOM));
});

test('caps on peeks are checked before a peek begins', async (t) => {
  const server = await start(t, {
    checkPeekLimits: () => {
      throw new MatrixError('M_LIMIT_EXCEEDED', 'too many', { retry_after_ms: 1000 });
    },
  });
  const answer = await server.as('alice', 'POST', `/v3/peek/${ROOM_PATH}`, {});
  assert.deepEqual([answer.status, answer.json.retry_after_ms], [429, 1000]);
  assert.deepEqual(asked(server.calls, 'performPeek'), []);
});

test('unpeeking takes a peek of this device', async (t) => {
  const active: boolean[] = [true, false];
  const server = await start(t, { queryPeek: () => ({ active: active.shift() }) });
  const path = `/v3/rooms/${ROOM_PATH}/unpeek`;
  assert.equal((await server.as('alice', 'POST', path, {})).status, 200);
  const again = await server.as('alice', 'POST', path, {});
  assert.deepEqual([again.status, again.json.errcode], [400, 'M_BAD_STATE']);
  assert.equal(asked(server.calls, 'performUnpeek').length, 1);
});

test('who is not in the room looks into it by a short peek, which each poll renews', async (t) => {
  const server = await start(t, {
    queryAccess: 'none',
    roomInitialSync: { room_id: ROOM },
    events: { chunk: [] },
  });
  await server.as('guest', 'GET', `/r0/rooms/${ROOM_PATH}/initialSync?limit=20`);
  await server.as('guest', 'GET', `/r0/events?room_id=${ROOM_PATH}&timeout=99999999`);
  const peeks = asked(server.calls, 'performPeek');
  assert.deepEqual(
    peeks.map(({ via, roomIdOrAlias }) => [via, roomIdOrAlias]),
    [
      ['events', ROOM],
      ['events', ROOM],
    ],
  );
  const [poll] = asked(server.calls, 'events');
  assert.deepEqual([poll?.roomId, poll?.from, poll?.timeoutMs], [ROOM, undefined, 300_000]);
});

test('members need no peek, nor do those who left unless the room is open', async (t) => {
  let access = 'joined';
  let visibility = 'shared';
  const server = await start(t, {
    queryAccess: () => access,
    queryRoom: () => ({ visibility, encrypted: false }),
    roomInitialSync: {},
  });
  const look = () => server.as('alice', 'GET', `/v3/rooms/${ROOM_PATH}/initialSync`);
  await look();
  access = 'left';
  await look();
  assert.deepEqual(asked(server.calls, 'performPeek'), []);
  visibility = 'world_readable';
  await look();
  assert.equal(asked(server.calls, 'performPeek').length, 1);
});

test('guests are kept to what they may do', async (t) => {
  const server = await start(t);
  for (const [method, path] of [
    ['POST', '/v3/createRoom'],
    ['GET', '/v3/initialSync'],
    ['GET', '/v3/events'],
    ['POST', '/v3/account/password'],
    ['PUT', '/v3/profile/@guest:example.org/avatar_url'],
    ['GET', '/v3/pushrules/'],
    ['POST', '/v3/user_directory/search'],
  ] as const) {
    const body = method === 'GET' ? undefined : { avatar_url: 'mxc://a/b' };
    const answer = await server.as('guest', method, path, body);
    assert.deepEqual([answer.status, answer.json.errcode], [403, 'M_GUEST_ACCESS_FORBIDDEN'], path);
  }
  const named = await server.as('guest', 'PUT', '/v3/profile/@guest:example.org/displayname', {
    displayname: 'G',
  });
  assert.equal(named.status, 200);
});

test('receipts are for members, for events of the room, and all or none', async (t) => {
  let membership = 'leave';
  const server = await start(t, {
    queryMemberships: () => [{ membership }],
    queryEvents: ({ eventIds: [eventId] }: { eventIds: string[] }) =>
      eventId === '$here' ? [{ eventId, json: { room_id: ROOM, content: {} } }] : [],
  });
  const path = `/v3/rooms/${ROOM_PATH}`;
  const outside = await server.as('alice', 'POST', `${path}/receipt/m.read/$here`, {});
  assert.equal(outside.json.errcode, 'M_FORBIDDEN');
  membership = 'join';
  const marks = { 'm.read': '$here', 'm.fully_read': '$elsewhere' };
  const answer = await server.as('alice', 'POST', `${path}/read_markers`, marks);
  assert.deepEqual([answer.status, answer.json.errcode], [404, 'M_NOT_FOUND']);
  const unknown = await server.as('alice', 'POST', `${path}/receipt/m.seen/$here`, {});
  assert.equal(unknown.json.errcode, 'M_INVALID_PARAM');
  const threaded = { thread_id: 'main' };
  const marker = await server.as('alice', 'POST', `${path}/receipt/m.fully_read/$here`, threaded);
  assert.equal(marker.json.errcode, 'M_INVALID_PARAM');
  assert.deepEqual(asked(server.calls, 'performSetFullyRead'), []);
});

test('a status that would be more than a member event holds is refused', async (t) => {
  const { as, calls } = await start(t);
  const path = `/v3/presence/${encodeURIComponent('@alice:example.org')}/status`;
  const set = (length: number) =>
    as('alice', 'PUT', path, { presence: 'online', status_msg: 'x'.repeat(length) });
  assert.equal((await set(1_024)).status, 200);
  const { status, json } = await set(1_025);
  assert.deepEqual([status, json.errcode], [400, 'M_BAD_JSON']);
  assert.deepEqual(calls, []);
});
