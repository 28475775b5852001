// Handshakes with other servers that help, refuse, lie, are old, or are not there.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../clock.ts';
import { silentLogger } from '../../logger.ts';
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { FakeNetwork, SERVER } from '../testing.ts';
import { createHandshakeApi } from './handshakes.ts';

const ROOM = '!room:b.example' as RoomId;
const ALICE = '@alice:us.example' as UserId;
const [B, C, D] = ['b.example', 'c.example', 'd.example'] as ServerName[] as [
  ServerName,
  ServerName,
  ServerName,
];
const EVENT = {
  eventId: '$join' as EventId,
  roomVersion: '11' as const,
  json: {
    type: 'm.room.member',
    sender: ALICE,
    state_key: ALICE,
    room_id: ROOM,
    content: { membership: 'join' },
    depth: 5,
    origin_server_ts: 1,
  },
};

function open() {
  const network = new FakeNetwork();
  const clock = new ManualClock();
  const api = createHandshakeApi({
    client: network,
    clock,
    logger: silentLogger,
    serverName: SERVER,
  });
  const paths = () => network.requests.map(({ destination, path }) => `${destination} ${path}`);
  return { network, clock, api, paths };
}

const make = (servers: readonly ServerName[], handshake: 'join' | 'leave' | 'knock' = 'join') => ({
  handshake,
  roomId: ROOM,
  userId: ALICE,
  servers,
  roomVersions: ['10', '11'] as const,
});

function template(changes: JsonObject = {}): JsonObject {
  const event = {
    type: 'm.room.member',
    sender: ALICE,
    state_key: ALICE,
    room_id: ROOM,
    content: { membership: 'join' },
  };
  return { room_version: '11', event: { ...event, ...changes } };
}

const hasCode = (errcode: string, extra: JsonObject = {}) => ({
  name: 'MatrixError',
  errcode,
  extra,
});

describe('make_join', () => {
  it('asks servers in turn until one gives a template', async () => {
    const { network, api, paths } = open();
    network.down(B);
    network.answers.set(C, () => template());
    const found = await api.performMakeHandshake(make([SERVER, B, C, D]));
    assert.equal(found.server, C);
    assert.equal(found.roomVersion, '11');
    assert.equal(found.event.sender, ALICE);
    const path = '/_matrix/federation/v1/make_join/!room%3Ab.example/%40alice%3Aus.example';
    assert.deepEqual(paths(), [`${B} ${path}`, `${C} ${path}`]);
    assert.deepEqual(network.requests[0]?.query, { ver: ['10', '11'] });
  });

  for (const [what, changes] of Object.entries({
    'another type': { type: 'm.room.name' },
    'another room': { room_id: '!other:b.example' },
    'another sender': { sender: '@eve:b.example' },
    'another state key': { state_key: '@eve:b.example' },
    'another membership': { content: { membership: 'ban' } },
    'no content': { content: 'join' },
  })) {
    it(`passes over a template of ${what}`, async () => {
      const { network, api } = open();
      network.answers.set(B, () => template(changes));
      network.answers.set(C, () => template());
      assert.equal((await api.performMakeHandshake(make([B, C]))).server, C);
      await assert.rejects(api.performMakeHandshake(make([B])), hasCode('M_UNKNOWN'));
    });
  }

  it('says what the last server said that said something', async () => {
    const { network, api } = open();
    network.refuses(B, 403, { errcode: 'M_FORBIDDEN' });
    network.refuses(C, 400, { errcode: 'M_UNABLE_TO_GRANT_JOIN' });
    network.down(D);
    await assert.rejects(
      api.performMakeHandshake(make([B, C, D])),
      hasCode('M_UNABLE_TO_GRANT_JOIN'),
    );
  });

  it('passes on what is wrong with the request, but nothing that would be taken for our own word', async () => {
    const { network, api } = open();
    network.refuses(B, 400, { errcode: 'ORG.EXAMPLE.NOT_TODAY' });
    await assert.rejects(api.performMakeHandshake(make([B])), hasCode('ORG.EXAMPLE.NOT_TODAY'));
    for (const errcode of ['M_UNKNOWN_TOKEN', 'M_INVALID_PARAM', 'M_MISSING_PARAM', 'not one']) {
      network.refuses(B, 400, { errcode });
      await assert.rejects(api.performMakeHandshake(make([B])), hasCode('M_UNKNOWN'));
    }
    network.refuses(B, 500, { errcode: 'ORG.EXAMPLE.NOT_TODAY' });
    await assert.rejects(api.performMakeHandshake(make([B])), hasCode('M_UNKNOWN'));
  });

  it('tells of limits where nothing else was said', async () => {
    const { network, api } = open();
    network.refuses(B, 429, { errcode: 'M_LIMIT_EXCEEDED', retryAfterMs: 4000 });
    network.down(C);
    const limited = hasCode('M_LIMIT_EXCEEDED', { retry_after_ms: 4000 });
    await assert.rejects(api.performMakeHandshake(make([B, C])), limited);
    network.refuses(C, 403, { errcode: 'M_FORBIDDEN' });
    await assert.rejects(api.performMakeHandshake(make([C, B])), hasCode('M_FORBIDDEN'));
  });

  it('names the version that is not known, whoever notices', async () => {
    const { network, api } = open();
    const incompatible = hasCode('M_INCOMPATIBLE_ROOM_VERSION', { room_version: '99' });
    network.answers.set(B, () => ({ ...template(), room_version: '99' }));
    await assert.rejects(api.performMakeHandshake(make([B])), incompatible);
    network.refuses(B, 400, {
      errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
      answer: { room_version: '99' },
    });
    await assert.rejects(api.performMakeHandshake(make([B])), incompatible);
  });

  it('takes a server that names no version to mean the first', async () => {
    const { network, api } = open();
    network.answers.set(B, () => ({ event: template().event }) as JsonObject);
    const request = { ...make([B]), roomVersions: ['1', '11'] as const };
    assert.equal((await api.performMakeHandshake(request)).roomVersion, '1');
    await assert.rejects(
      api.performMakeHandshake(make([B])),
      hasCode('M_INCOMPATIBLE_ROOM_VERSION', { room_version: '1' }),
    );
  });

  it('finds nothing without servers, and nothing to say when none answers', async () => {
    const { network, api } = open();
    await assert.rejects(api.performMakeHandshake(make([])), hasCode('M_NOT_FOUND'));
    await assert.rejects(api.performMakeHandshake(make([SERVER])), hasCode('M_NOT_FOUND'));
    network.down(B);
    await assert.rejects(api.performMakeHandshake(make([B])), hasCode('M_UNKNOWN'));
  });

  it('asks no more servers once it has taken too long', async () => {
    const { network, api, clock } = open();
    network.answers.set(B, () => {
      clock.advance(100_000);
      return {};
    });
    await assert.rejects(api.performMakeHandshake(make([B, C])), hasCode('M_UNKNOWN'));
    assert.equal(network.requests.length, 1);
  });

  it('has no versions to choose from when it is about leaving', async () => {
    const { network, api } = open();
    network.answers.set(B, () => template({ content: { membership: 'leave' } }));
    await api.performMakeHandshake(make([B], 'leave'));
    assert.equal(network.requests[0]?.query, undefined);
    assert.match(network.requests[0]?.path ?? '', /make_leave/);
  });
});

describe('send_join', () => {
  const request = { server: B, roomId: ROOM, roomVersion: '11' as const, event: EVENT };
  const pdu = (type: string) => ({ ...EVENT.json, type });

  it('gives what has the shape of events, and leaves out the rest', async () => {
    const { network, api, paths } = open();
    const event = { ...EVENT.json, signatures: { b: {} } };
    network.answers.set(B, () => ({
      state: [
        pdu('a'),
        5,
        { type: 'b' },
        { ...pdu('c'), content: [] },
        { ...pdu('d'), depth: 'x' },
      ],
      auth_chain: [pdu('e'), null],
      event,
      members_omitted: 'true',
      servers_in_room: ['b.example', 'b.example', 'not a server', 7],
    }));
    const answer = await api.performSendJoin(request);
    assert.deepEqual(answer, {
      state: [pdu('a')],
      authChain: [pdu('e')],
      event,
      membersOmitted: false,
      serversInRoom: [B],
    });
    assert.deepEqual(paths(), [`${B} /_matrix/federation/v2/send_join/!room%3Ab.example/%24join`]);
    assert.deepEqual(network.requests[0]?.body, EVENT.json);
    assert.ok((network.requests[0]?.maxBytes ?? 0) >= 100_000_000);
  });

  for (const answer of [{}, { state: {}, auth_chain: [] }, { state: [] }]) {
    it(`has no use for ${JSON.stringify(answer)}`, async () => {
      const { network, api } = open();
      network.answers.set(B, () => answer as JsonObject);
      await assert.rejects(api.performSendJoin(request), hasCode('M_UNKNOWN'));
    });
  }

  it('falls back to version 1 where version 2 is not known, and only there', async () => {
    const { network, api, paths } = open();
    network.answers.set(B, ({ path }) => {
      if (path.includes('/v2/')) return network.refuse(B, 404, { errcode: 'M_UNRECOGNIZED' });
      return { state: [], auth_chain: [] };
    });
    await api.performSendJoin(request);
    assert.deepEqual(
      paths().map((path) => path.slice(0, 32)),
      [`${B} /_matrix/federation/v2`, `${B} /_matrix/federation/v1`].map((path) =>
        path.slice(0, 32),
      ),
    );
    network.refuses(B, 403, { errcode: 'M_FORBIDDEN' });
    await assert.rejects(api.performSendJoin(request), hasCode('M_FORBIDDEN'));
    assert.equal(paths().length, 3);
  });
});

describe('other handshakes', () => {
  const request = { server: B, roomId: ROOM, roomVersion: '11' as const, event: EVENT };

  it('send_leave falls back to version 1', async () => {
    const { network, api, paths } = open();
    network.answers.set(B, ({ path }) =>
      path.includes('/v2/') ? network.refuse(B, 404) : ({} as JsonObject),
    );
    await api.performSendLeave(request);
    assert.equal(paths()[1], `${B} /_matrix/federation/v1/send_leave/!room%3Ab.example/%24join`);
  });

  it('send_knock gives what is shown of the room', async () => {
    const { network, api } = open();
    network.answers.set(B, () => ({ knock_room_state: [{ type: 'm.room.name' }, 1] }));
    const { strippedState } = await api.performSendKnock(request);
    assert.deepEqual(strippedState, [{ type: 'm.room.name' }]);
    network.answers.set(B, () => ({}));
    await assert.rejects(api.performSendKnock(request), hasCode('M_UNKNOWN'));
  });

  it('invite falls back to version 1 for room versions that it knows', async () => {
    const { network, api } = open();
    const invite = { server: B, event: EVENT, strippedState: [{ type: 'm.room.create' }] };
    network.answers.set(B, ({ path }) =>
      path.includes('/v2/')
        ? network.refuse(B, 400, { errcode: 'M_UNRECOGNIZED' })
        : { event: { signed: true } },
    );
    const old = { ...invite, roomVersion: '2' as const };
    assert.deepEqual(await api.performSendInvite(old), { event: { signed: true } });
    assert.deepEqual(network.requests[0]?.body, {
      room_version: '2',
      event: EVENT.json,
      invite_room_state: invite.strippedState,
    });
    assert.deepEqual(network.requests[1]?.body, {
      ...EVENT.json,
      unsigned: { invite_room_state: invite.strippedState },
    });
    const current = { ...invite, roomVersion: '11' as const };
    await assert.rejects(api.performSendInvite(current), hasCode('M_UNKNOWN'));
    assert.equal(network.requests.length, 3);
  });

  it('an invite that is blocked is forbidden, and one too many is told so', async () => {
    const { network, api } = open();
    network.refuses(B, 403, { errcode: 'M_INVITE_BLOCKED' });
    const invite = { server: B, event: EVENT, roomVersion: '11' as const, strippedState: [] };
    await assert.rejects(api.performSendInvite(invite), hasCode('M_FORBIDDEN'));
    network.refuses(B, 429, { errcode: 'M_LIMIT_EXCEEDED', retryAfterMs: 9 });
    const limited = hasCode('M_LIMIT_EXCEEDED', { retry_after_ms: 9 });
    await assert.rejects(api.performSendInvite(invite), limited);
  });

  it('an alias is looked up at its own server', async () => {
    const { network, api } = open();
    const alias = '#room:b.example' as RoomAlias;
    network.answers.set(B, () => ({ room_id: ROOM, servers: [C, '', C] }));
    assert.deepEqual(await api.queryRemoteAlias({ alias }), { roomId: ROOM, servers: [C] });
    assert.deepEqual(network.requests[0]?.query, { room_alias: alias });
    network.answers.set(B, () => ({ room_id: 'nonsense' }));
    await assert.rejects(api.queryRemoteAlias({ alias }), hasCode('M_NOT_FOUND'));
    network.refuses(B, 404, { errcode: 'M_NOT_FOUND' });
    await assert.rejects(api.queryRemoteAlias({ alias }), hasCode('M_NOT_FOUND'));
    network.down(B);
    await assert.rejects(api.queryRemoteAlias({ alias }), hasCode('M_NOT_FOUND'));
  });
});
