// What other servers' users may do in our rooms by handshakes, and what is refused.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Errcode } from '../../src/protocol/error.ts';
import type { Pdu } from '../../src/protocol/events/pdu.ts';
import type { RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import { memberEventFrom } from '../../src/roomserver/remote/member-event.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { TestKeys } from './foreign-server.ts';
import { ALICE, BOB, HERE, makeRoom, startRoomserver, type TestRoom } from './harness.ts';

const THERE = 'there.test' as ServerName;
const DAN = '@dan:there.test' as UserId;

type Membership = 'join' | 'leave' | 'knock';

async function setUp(backend: Backend, room: TestRoom = {}) {
  const keys = new TestKeys();
  const server = await startRoomserver(backend, { keyRing: keys, signingKey: keys.of(HERE) });
  const { api, context } = server;
  const roomId = await makeRoom(server, room);
  const make = (
    membership: Membership,
    {
      userId = DAN,
      origin = THERE,
      in: inRoom = roomId,
      roomVersions = ROOM_VERSIONS as readonly string[],
    } = {},
  ) => api.performMakeMembership({ origin, roomId: inRoom, userId, membership, roomVersions });
  /** The event, as Dan's server makes it of a template. */
  const complete = (
    made: { roomVersion: RoomVersionId; event: JsonObject },
    membership: Membership,
    userId = DAN,
  ) => {
    const there = { clock: server.clock, serverName: THERE, signingKey: keys.of(THERE) };
    return memberEventFrom(there, made, { roomId, userId, membership, content: {} });
  };
  const accept = (
    pdu: Pdu,
    membership: Membership,
    more: Partial<{ origin: ServerName; eventId: string; event: JsonObject }> = {},
  ) =>
    api.performAcceptMembership({
      origin: THERE,
      roomId,
      eventId: pdu.eventId,
      membership,
      event: pdu.json,
      ...more,
    });
  const set = (type: string, content: JsonObject, stateKey = '') =>
    api.performSendEvent({ roomId, sender: ALICE, type, stateKey, content });
  const memberOf = async (userId: UserId) =>
    (await api.queryMemberships({ roomId, userIds: [userId] }))[0]?.membership;
  return { ...server, context, keys, roomId, make, complete, accept, set, memberOf };
}

const refusedWith = (errcode: Errcode) => ({ name: 'MatrixError', errcode });

forEachBackend('handshakes of other servers', (backend) => {
  it('gives templates to whom the room lets in, of a version that she knows', async () => {
    const { api, roomId, make, set, close } = await setUp(backend);
    const { roomVersion, event } = await make('join');
    assert.equal(roomVersion, '11');
    assert.deepEqual(
      [event.type, event.sender, event.state_key, event.room_id, event.content],
      ['m.room.member', DAN, DAN, roomId, { membership: 'join' }],
    );
    for (const absent of ['signatures', 'hashes', 'event_id'])
      assert.equal(event[absent], undefined);

    const versions = { roomVersions: ['1', '12'] };
    await assert.rejects(make('join', versions), {
      ...refusedWith('M_INCOMPATIBLE_ROOM_VERSION'),
      extra: { room_version: '11' },
    });
    await assert.rejects(
      make('join', { origin: 'evil.test' as ServerName }),
      refusedWith('M_FORBIDDEN'),
    );
    await assert.rejects(
      make('join', { in: '!unknown:here.test' as RoomId }),
      refusedWith('M_NOT_FOUND'),
    );
    await assert.rejects(make('knock'), refusedWith('M_FORBIDDEN'));
    await assert.rejects(make('leave'), refusedWith('M_FORBIDDEN'));
    await set('m.room.server_acl', { allow: ['*'], deny: ['there.test'] });
    await assert.rejects(make('join'), refusedWith('M_FORBIDDEN'));
    await set('m.room.server_acl', { allow: ['*'] });
    await set('m.room.join_rules', { join_rule: 'invite' });
    await assert.rejects(make('join'), refusedWith('M_FORBIDDEN'));
    await api.performMembershipChange({
      roomId,
      sender: ALICE,
      target: ALICE,
      action: 'leave',
      content: {},
    });
    await assert.rejects(make('join'), refusedWith('M_NOT_FOUND'));
    await close();
  });

  it('takes a join, answers the state before it, and has it distributed', async () => {
    const { api, roomId, make, complete, accept, entries, context, close } = await setUp(backend);
    const pdu = complete(await make('join'), 'join');
    const before = await api.queryStateIds({ roomId, members: 'all' });
    const answer = await accept(pdu, 'join');
    assert.equal(answer.state.length, before.entries.length);
    assert.equal(answer.authChain[0]?.type, 'm.room.create');
    const depths = answer.authChain.map(({ depth }) => Number(depth));
    assert.deepEqual(
      depths,
      depths.toSorted((a, b) => a - b),
    );
    assert.ok(!answer.state.some((event) => event.state_key === DAN));
    const entry = (await entries(roomId)).at(-1);
    assert.ok(entry?.kind === 'NewRoomEvent' && entry.sendAs === HERE);
    assert.equal(entry.event.eventId, pdu.eventId);
    // An answer that was lost is asked for again.
    const { length } = await entries(roomId);
    assert.deepEqual(await accept(pdu, 'join'), answer);
    assert.equal((await entries(roomId)).length, length);
    assert.equal((await context.events.get(pdu.eventId))?.standing, 'accepted');
    await close();
  });

  it('takes nothing but what it was handed for', async () => {
    const { make, complete, accept, memberOf, keys, close } = await setUp(backend);
    const made = await make('join');
    const pdu = complete(made, 'join');
    const tampered = { ...pdu.json, content: { membership: 'join', displayname: 'Mallory' } };
    const forged = { [THERE]: { [keys.of(THERE).keyId]: 'a'.repeat(86) } };
    const { hashes: _, ...bare } = pdu.json;
    const bad: [Parameters<typeof accept>, Errcode, string][] = [
      [[pdu, 'leave'], 'M_INVALID_PARAM', 'another membership'],
      [[pdu, 'join', { eventId: 'other' }], 'M_INVALID_PARAM', 'another id'],
      [[pdu, 'join', { event: tampered }], 'M_INVALID_PARAM', 'another content'],
      [[pdu, 'join', { origin: 'evil.test' as ServerName }], 'M_FORBIDDEN', 'another origin'],
      [[pdu, 'join', { event: { ...pdu.json, signatures: {} } }], 'M_FORBIDDEN', 'no signature'],
      [
        [pdu, 'join', { event: { ...pdu.json, signatures: forged } }],
        'M_FORBIDDEN',
        'a forged one',
      ],
      [[pdu, 'join', { event: made.event }], 'M_FORBIDDEN', 'the template'],
      [[pdu, 'join', { event: { ...bare, signatures: forged } }], 'M_FORBIDDEN', 'one of nothing'],
      [[pdu, 'join', { event: { ...pdu.json, depth: 1.5 } }], 'M_BAD_JSON', 'no proper event'],
    ];
    for (const [args, errcode, what] of bad) {
      await assert.rejects(accept(...args), refusedWith(errcode), what);
    }
    keys.forget('there.test');
    await assert.rejects(accept(pdu, 'join'), refusedWith('M_INVALID_PARAM'));
    assert.equal(await memberOf(DAN), undefined);
    await close();
  });

  it('refuses a join that is allowed no more', async () => {
    const { api, roomId, make, complete, accept, set, memberOf, close } = await setUp(backend);
    const pdu = complete(await make('join'), 'join');
    await set('m.room.join_rules', { join_rule: 'invite' });
    await assert.rejects(accept(pdu, 'join'), refusedWith('M_FORBIDDEN'));
    assert.equal(await memberOf(DAN), undefined);
    // Asked again, the answer is the same, and it does not slip in when the rules change back.
    await set('m.room.join_rules', { join_rule: 'public' });
    await assert.rejects(accept(pdu, 'join'), refusedWith('M_FORBIDDEN'));
    await api.performMembershipChange({
      roomId,
      sender: ALICE,
      target: DAN,
      action: 'ban',
      content: {},
    });
    await assert.rejects(make('join'), refusedWith('M_FORBIDDEN'));
    await close();
  });

  it('takes knocks, and leaves', async () => {
    const state = [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }];
    const { make, complete, accept, memberOf, close } = await setUp(backend, { state });
    const knock = complete(await make('knock'), 'knock');
    const { strippedState } = await accept(knock, 'knock');
    const types = strippedState.map(({ type }) => type);
    assert.ok(types.includes('m.room.create') && types.includes('m.room.join_rules'));
    assert.ok(strippedState.every(({ signatures }) => signatures !== undefined));
    assert.equal(await memberOf(DAN), 'knock');
    const leave = complete(await make('leave', { roomVersions: [] }), 'leave');
    await accept(leave, 'leave');
    assert.equal(await memberOf(DAN), 'leave');
    await close();
  });

  it('lets in by membership in another room, and signs for it', async () => {
    const scene = await setUp(backend, { roomVersion: '10' });
    const { api, make, complete, accept, set, memberOf, context } = scene;
    const club = await makeRoom(scene, { creator: BOB });
    const unknown = '!unknown:else.test' as RoomId;
    const allow = (...rooms: RoomId[]) =>
      set('m.room.join_rules', {
        join_rule: 'restricted',
        allow: rooms.map((room_id) => ({ type: 'm.room_membership', room_id })),
      });
    await allow(club);
    await assert.rejects(make('join'), refusedWith('M_FORBIDDEN'));
    await allow(club, unknown);
    await assert.rejects(make('join'), refusedWith('M_UNABLE_TO_AUTHORISE_JOIN'));
    const inClub = { roomId: club, origin: THERE, userId: DAN, roomVersions: ROOM_VERSIONS };
    const clubTemplate = await api.performMakeMembership({ ...inClub, membership: 'join' });
    const there = { clock: scene.clock, serverName: THERE, signingKey: scene.keys.of(THERE) };
    const wanted = { roomId: club, userId: DAN, membership: 'join', content: {} } as const;
    const clubJoin = memberEventFrom(there, clubTemplate, wanted);
    await api.performAcceptMembership({
      origin: THERE,
      roomId: club,
      eventId: clubJoin.eventId,
      membership: 'join',
      event: clubJoin.json,
    });

    const made = await make('join');
    assert.deepEqual(made.event.content, {
      membership: 'join',
      join_authorised_via_users_server: ALICE,
    });
    const pdu = complete(made, 'join');
    const { event } = await accept(pdu, 'join');
    assert.deepEqual(Object.keys(event.signatures ?? {}).sort(), [HERE, THERE]);
    assert.equal(await memberOf(DAN), 'join');
    assert.deepEqual((await context.events.get(pdu.eventId))?.pdu.json, event);

    // Whom nobody here may let in any more is sent to another server.
    await accept(complete(await make('leave'), 'leave'), 'leave');
    await set('m.room.power_levels', { users: { [ALICE]: 0 }, invite: 50 });
    await assert.rejects(make('join'), refusedWith('M_UNABLE_TO_GRANT_JOIN'));
    await scene.close();
  });

  it('signs for nobody who has left the other room meanwhile', async () => {
    const scene = await setUp(backend, { roomVersion: '11' });
    const { api, make, complete, accept, set, memberOf } = scene;
    const club = await makeRoom(scene, { creator: ALICE });
    const allow = [{ type: 'm.room_membership', room_id: club }];
    await set('m.room.join_rules', { join_rule: 'restricted', allow });
    const join = { roomId: club, userId: DAN, membership: 'join', content: {} } as const;
    const there = { clock: scene.clock, serverName: THERE, signingKey: scene.keys.of(THERE) };
    const request = { origin: THERE, roomId: club, userId: DAN, roomVersions: ROOM_VERSIONS };
    const template = await api.performMakeMembership({ ...request, membership: 'join' });
    const joined = memberEventFrom(there, template, join);
    const { eventId, json: event } = joined;
    await api.performAcceptMembership({ ...request, eventId, event, membership: 'join' });
    const pdu = complete(await make('join'), 'join');
    await api.performMembershipChange({
      roomId: club,
      sender: ALICE,
      target: DAN,
      action: 'kick',
      content: {},
    });
    await assert.rejects(accept(pdu, 'join'), refusedWith('M_FORBIDDEN'));
    assert.equal(await memberOf(DAN), undefined);
    await scene.close();
  });
});
