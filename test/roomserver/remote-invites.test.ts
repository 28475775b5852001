// Invites and knocks between servers, and what becomes of them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MatrixError } from '../../src/protocol/error.ts';
import type { EventId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

/** Ruth's room at `res.test`, in which nobody of `loc.test` is. */
async function setUp(backend: Backend, roomVersion: RoomVersionId = '11', joinRule = 'invite') {
  const street = new Neighbourhood();
  const res = await street.start(otherDatabase(), 'res.test');
  const loc = await street.start(backend, 'loc.test');
  const ruth = user('ruth', res);
  const lena = user('lena', loc);
  const state = [
    { type: 'm.room.name', content: { name: 'A room' } },
    { type: 'm.room.join_rules', content: { join_rule: joinRule } },
  ];
  const roomId = await makeRoom(res, { creator: ruth, roomVersion, state });
  const change = (
    server: Neighbour,
    action: 'invite' | 'leave' | 'kick' | 'ban',
    sender: UserId,
    target: UserId,
  ) => server.api.performMembershipChange({ roomId, sender, target, action, content: {} });
  /** She names no server: who has invited her is asked. */
  const joinInvited = (userId: UserId) =>
    loc.api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} });
  const memberships = (server: Neighbour, userId: UserId) =>
    server.api.queryRoomsOfUser({
      userId,
      memberships: ['invite', 'knock', 'join', 'leave', 'ban'],
    });
  const memberOf = async (userId: UserId) =>
    (await res.api.queryMemberships({ roomId, userIds: [userId] }))[0]?.membership;
  return { street, res, loc, ruth, lena, roomId, change, joinInvited, memberships, memberOf };
}

async function lastEntry(server: Neighbour, roomId: string) {
  return (await server.entries(roomId as never)).at(-1);
}

forEachBackend('invites between servers', (backend) => {
  for (const roomVersion of ['1', '2', '6', '11', '12'] as const) {
    it(`invites a user of another server, who joins, version ${roomVersion}`, async () => {
      const { street, res, loc, ruth, lena, roomId, change, joinInvited, memberships } =
        await setUp(backend, roomVersion);
      await change(res, 'invite', ruth, lena);
      const there = await lastEntry(res, roomId);
      assert.ok(there?.kind === 'NewRoomEvent' && there.sendAs === 'res.test');
      const { signatures } = there.event.json;
      assert.deepEqual(Object.keys(signatures ?? {}).sort(), ['loc.test', 'res.test']);

      const entry = await lastEntry(loc, roomId);
      assert.ok(entry?.kind === 'NewInvite' && entry.membership === 'invite');
      assert.equal(entry.event.eventId, there.event.eventId);
      const shown = entry.strippedState.map(({ type }) => type);
      assert.ok(
        ['m.room.create', 'm.room.name', 'm.room.member'].every((one) =>
          shown.includes(one as string),
        ),
      );
      for (const event of entry.strippedState) {
        assert.deepEqual(Object.keys(event).sort(), ['content', 'sender', 'state_key', 'type']);
      }
      const [row] = await memberships(loc, lena);
      assert.deepEqual([row?.roomId, row?.membership], [roomId, 'invite']);
      assert.equal(await loc.api.queryRoom({ roomId }), undefined);

      await joinInvited(lena);
      assert.equal((await memberships(loc, lena))[0]?.membership, 'join');
      await street.close();
    });
  }

  it('rejects an invite, and the room is told', async () => {
    const { street, res, loc, ruth, lena, roomId, change, memberships, memberOf } =
      await setUp(backend);
    await change(res, 'invite', ruth, lena);
    const { position } = await change(loc, 'leave', lena, lena);
    assert.equal(await memberOf(lena), 'leave');
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'RetireInvite' && entry.position === position);
    assert.deepEqual([entry.userId, entry.membership], [lena, 'leave']);
    const [left] = await res.api.queryMemberships({ roomId, userIds: [lena] });
    assert.deepEqual([entry.eventId, entry.event?.eventId], [left?.eventId, left?.eventId]);
    assert.equal((await memberships(loc, lena))[0]?.membership, 'leave');
    // Once is enough.
    assert.equal((await change(loc, 'leave', lena, lena)).position, 0);
    await loc.api.performForget({ roomId, userId: lena });
    assert.equal((await memberships(loc, lena))[0]?.forgotten, true);
    await assert.rejects(change(loc, 'leave', user('lars', loc), user('lars', loc)), {
      errcode: 'M_FORBIDDEN',
    });
    await street.close();
  });

  it('rejects an invite here alone where nobody answers', async () => {
    const { street, res, loc, ruth, lena, roomId, change, memberships, memberOf } =
      await setUp(backend);
    await change(res, 'invite', ruth, lena);
    street.faults.before = () => {
      throw new MatrixError('M_UNKNOWN', 'nobody is there');
    };
    await change(loc, 'leave', lena, lena);
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'RetireInvite' && entry.event?.eventId === entry.eventId);
    const { sender, state_key: stateKey, content } = entry.event.json;
    assert.deepEqual([sender, stateKey, content], [lena, lena, { membership: 'leave' }]);
    assert.equal((await memberships(loc, lena))[0]?.membership, 'leave');
    assert.equal(await memberOf(lena), 'invite');

    // She is invited anew, and this time the server hangs.
    street.faults.before = () => {};
    const other = user('lars', loc);
    await change(res, 'invite', ruth, other);
    loc.asked.length = 0;
    street.faults.before = () => new Promise(() => {});
    const rejected = change(loc, 'leave', other, other);
    // The clock stands still until the wait has begun.
    while (loc.asked.at(-1) !== 'make_leave res.test') await new Promise(setImmediate);
    loc.clock.advance(10_000);
    await rejected;
    assert.equal((await memberships(loc, other))[0]?.membership, 'leave');
    await street.close();
  });

  it('takes back an invite that is withdrawn, by an event that names it only', async () => {
    const { street, res, loc, ruth, lena, roomId, change, memberships } = await setUp(backend);
    await change(res, 'invite', ruth, lena);
    const unrelated = await res.api.performSendEvent({
      roomId,
      sender: ruth,
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'none of your business' },
    });
    await change(res, 'kick', ruth, lena);
    const kicked = (await res.api.queryMemberships({ roomId, userIds: [lena] }))[0]?.eventId;
    const results = await res.push(loc, [unrelated.eventId, kicked as EventId]);
    assert.deepEqual(results, { [kicked as EventId]: {} });
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'RetireInvite' && entry.eventId === kicked);
    assert.equal((await memberships(loc, lena))[0]?.membership, 'leave');
    await street.close();
  });

  it('is invited where somebody else of the server has joined', async () => {
    const { street, res, loc, ruth, lena, roomId, change, joinInvited } = await setUp(backend);
    const lars = user('lars', loc);
    await change(res, 'invite', ruth, lars);
    await joinInvited(lars);
    await change(res, 'invite', ruth, lena);
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'NewRoomEvent');
    assert.equal(entry.sendAs, undefined);
    assert.equal((await loc.api.queryRoom({ roomId }))?.invitedMembers, 1);
    await change(loc, 'leave', lena, lena);
    assert.equal((await loc.api.queryRoom({ roomId }))?.invitedMembers, 0);
    await street.close();
  });

  it('takes an invite into a room that is here with what comes before it, and else when it comes itself', async () => {
    const { street, res, loc, ruth, lena, roomId, change, joinInvited } = await setUp(backend);
    const lars = user('lars', loc);
    await change(res, 'invite', ruth, lars);
    await joinInvited(lars);
    const say = async (topic: string) => {
      const event = { type: 'm.room.topic', stateKey: '', content: { topic } };
      return (await res.api.performSendEvent({ roomId, sender: ruth, ...event })).eventId;
    };
    const said = [await say('one'), await say('two')];
    loc.asked.length = 0;
    await change(res, 'invite', ruth, lena);
    const entries = await loc.entries(roomId);
    assert.deepEqual(
      entries.slice(-3).map((entry) => entry.kind === 'NewRoomEvent' && entry.event.eventId),
      [...said, await inviteOf(lena)],
    );
    // That of the invite, which its sender does not know yet, and that of what it refers to.
    const asked = ['get_missing_events', 'event', 'get_missing_events'];
    assert.deepEqual(
      loc.asked,
      asked.map((method) => `${method} res.test`),
    );

    const late = user('late', loc);
    said.push(await say('three'));
    street.faults.before = (method) => {
      if (method !== 'invite') throw new Error('broken');
    };
    await change(res, 'invite', ruth, late);
    assert.deepEqual(await loc.entries(roomId), entries);
    await res.push(loc, [...said.slice(-1), await inviteOf(late)]);
    const [member] = await loc.api.queryMemberships({ roomId, userIds: [late] });
    assert.deepEqual([member?.membership, member?.eventId], ['invite', await inviteOf(late)]);
    assert.ok(!loc.asked.some((one) => one.startsWith('state')), loc.asked.join());
    await street.close();

    async function inviteOf(userId: UserId): Promise<EventId> {
      const [row] = await res.api.queryMemberships({ roomId, userIds: [userId] });
      return row?.eventId as EventId;
    }
  });

  it('signs no invite into a room that is here which the rules do not allow', async () => {
    const { street, res, loc, ruth, lena, roomId, change, joinInvited, memberOf } =
      await setUp(backend);
    const lars = user('lars', loc);
    await change(res, 'invite', ruth, lars);
    await joinInvited(lars);
    const levels = { type: 'm.room.power_levels', content: { users: { [ruth]: 100, [lars]: 99 } } };
    const sent = { ...levels, roomId, sender: ruth, stateKey: '' };
    await res.push(loc, [(await res.api.performSendEvent(sent)).eventId]);
    await change(loc, 'ban', lars, lena);
    await assert.rejects(change(res, 'invite', ruth, lena), { errcode: 'M_FORBIDDEN' });
    assert.equal(await memberOf(lena), undefined);
    await street.close();
  });

  it('does not invite whom the other server does not sign for', async () => {
    const { street, res, loc, ruth, lena, roomId, change, memberOf } = await setUp(backend);
    for (const lie of [
      (event: JsonObject) => ({ ...event, content: { membership: 'ban' } }),
      ({ signatures: _, ...event }: JsonObject) => event,
      (event: JsonObject) => ({ ...event, signatures: { 'loc.test': { 'ed25519:a': 'AAAA' } } }),
    ]) {
      street.faults.invited = lie;
      await assert.rejects(change(res, 'invite', ruth, lena), { errcode: 'M_UNKNOWN' });
      assert.equal(await memberOf(lena), undefined);
    }
    assert.ok(await res.api.queryRoom({ roomId }));
    assert.ok(loc);
    await street.close();
  });

  it('signs nothing that is no proper invite', async () => {
    const { street, res, loc, ruth, lena, roomId, change, memberships } = await setUp(
      backend,
      '12',
    );
    let seen: Parameters<Neighbour['api']['performAcceptInvite']>[0] | undefined;
    street.faults.invite = (request) => {
      seen = request;
    };
    await change(res, 'invite', ruth, lena);
    assert.ok(seen);
    const good = seen;
    const create = good.strippedState.find(({ type }) => type === 'm.room.create') as JsonObject;
    const bad: Record<string, Partial<typeof good>[]> = {
      M_INVALID_PARAM: [
        { eventId: '$other' },
        { strippedState: [] },
        { strippedState: [{ ...create, content: { room_version: '12', forged: true } }] },
        { strippedState: [{ type: 'm.room.create', state_key: '', sender: ruth, content: {} }] },
      ],
      M_FORBIDDEN: [
        { origin: 'evil.test' as ServerName },
        { event: { ...good.event, content: { membership: 'join' } } },
        { event: { ...good.event, state_key: user('rob', res) } },
        { event: { ...good.event, signatures: {} } },
        { event: { ...good.event, type: 'm.room.topic' } },
      ],
      M_BAD_JSON: [{ event: { ...good.event, content: { membership: 'invite', float: 1.5 } } }],
    };
    for (const [errcode, changes] of Object.entries(bad)) {
      for (const change of changes) {
        await assert.rejects(loc.api.performAcceptInvite({ ...good, ...change }), { errcode });
      }
    }
    await assert.rejects(loc.api.performAcceptInvite({ ...good, roomVersion: '99' }), {
      errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
    });
    assert.equal((await memberships(loc, lena)).length, 1);
    assert.equal((await loc.entries(roomId)).length, 1);
    await street.close();
  });

  it('invites users of other servers into a new room, but for those who cannot be reached', async () => {
    const { street, res, loc, ruth, lena } = await setUp(backend);
    const { roomId } = await res.api.performCreateRoom({
      creator: ruth,
      profiles: {},
      preset: 'trusted_private_chat',
      invite: [lena, user('rob', res), '@nobody:dead.test' as UserId],
      isDirect: true,
      initialState: [],
    });
    assert.equal((await res.api.queryRoom({ roomId }))?.invitedMembers, 2);
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'NewInvite');
    assert.equal(entry.event.json.content.is_direct, true);
    await street.close();
  });

  it('shows of a room that is knocked on what is signed, version 12', async () => {
    const { street, res, loc, lena, roomId } = await setUp(backend, '12', 'knock');
    street.faults.knockAnswer = (state) =>
      state.map((event) => {
        if (event.type === 'm.room.name') return { ...event, content: { name: 'Forged' } };
        if (event.type !== 'm.room.join_rules') return event;
        return { type: event.type, state_key: '', sender: lena, content: { join_rule: 'public' } };
      });
    const via = { serverNames: [res.name], content: {} };
    await loc.api.performKnock({ roomIdOrAlias: roomId, userId: lena, ...via });
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'NewInvite');
    const shown = new Map(entry.strippedState.map(({ type, content }) => [type, content]));
    assert.deepEqual(shown.get('m.room.name'), {});
    assert.equal(shown.has('m.room.join_rules'), false);
    assert.equal(shown.has('m.room.create'), true);
    await street.close();
  });

  it('knocks, is let in, and takes a knock back', async () => {
    const { street, res, loc, ruth, lena, roomId, change, joinInvited, memberships, memberOf } =
      await setUp(backend, '11', 'knock');
    const knock = (userId: UserId) =>
      loc.api.performKnock({
        roomIdOrAlias: roomId,
        userId,
        serverNames: [res.name],
        content: { reason: 'please' },
      });
    await knock(lena);
    assert.equal(await memberOf(lena), 'knock');
    const entry = await lastEntry(loc, roomId);
    assert.ok(entry?.kind === 'NewInvite' && entry.membership === 'knock');
    assert.ok(entry.strippedState.some(({ type }) => type === 'm.room.name'));
    assert.equal((await memberships(loc, lena))[0]?.membership, 'knock');
    await change(res, 'invite', ruth, lena);
    await joinInvited(lena);
    assert.equal(await memberOf(lena), 'join');

    const late = await setUp(otherBackend(backend), '11', 'knock');
    await late.loc.api.performKnock({
      roomIdOrAlias: late.roomId,
      userId: late.lena,
      serverNames: [late.res.name],
      content: {},
    });
    await late.change(late.loc, 'leave', late.lena, late.lena);
    assert.equal(await late.memberOf(late.lena), 'leave');
    await late.street.close();
    await street.close();
  });
});

/** The backend's own database is in use by the running test. */
function otherBackend(backend: Backend): Backend {
  return { ...backend, ...otherDatabase() };
}
