// Rooms of other servers: joining them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SendJoinAnswer } from '../../src/federationsender/api.ts';
import { MatrixError } from '../../src/protocol/error.ts';
import type { PduJson } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomAlias } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase } from './harness.ts';
import { type Neighbour, user } from './neighbours.ts';
import { isAccepted, say, setUp } from './remote-room.ts';

forEachBackend('joining rooms of other servers', (backend) => {
  for (const roomVersion of ROOM_VERSIONS) {
    it(`joins, receives and sends, version ${roomVersion}`, async () => {
      const { street, res, loc, ruth, lena, roomId, join } = await setUp(backend, roomVersion);
      const { position } = await join();

      const entries = await loc.entries(roomId);
      assert.deepEqual(
        entries.map(({ kind }) => kind),
        ['StateReplaced', 'NewRoomEvent'],
      );
      const [, joined] = entries;
      assert.ok(joined?.kind === 'NewRoomEvent' && joined.position === position);
      assert.deepEqual(joined.event.json.content, { displayname: 'Lena', membership: 'join' });
      assert.equal(joined.sendAs, undefined);
      const there = (await res.entries(roomId)).at(-1);
      assert.ok(there?.kind === 'NewRoomEvent' && there.event.eventId === joined.event.eventId);
      assert.equal(there.sendAs, 'res.test');
      assert.deepEqual(await loc.api.queryRoom({ roomId }), await res.api.queryRoom({ roomId }));

      const hello = await say(res, roomId, ruth);
      assert.deepEqual(await res.push(loc, [hello]), { [hello]: {} });
      assert.ok(await isAccepted(loc, hello));
      const answer = await say(loc, roomId, lena);
      assert.deepEqual(await loc.push(res, [answer]), { [answer]: {} });
      assert.ok(await isAccepted(res, answer));
      assert.deepEqual(
        (await loc.api.queryRoom({ roomId }))?.forwardExtremities,
        (await res.api.queryRoom({ roomId }))?.forwardExtremities,
      );
      await street.close();
    });
  }

  it('asks the next server where a template is not what was asked for', async () => {
    const { street, res, loc, roomId, ruth, lena, join } = await setUp(backend);
    const ext = await street.start(otherDatabase(), 'ext.test');
    const emil = user('emil', ext);
    await ext.api.performJoin({
      roomIdOrAlias: roomId,
      userId: emil,
      serverNames: [res.name],
      content: {},
    });
    const lies: ((event: JsonObject) => JsonObject)[] = [
      (event) => ({ ...event, sender: ruth }),
      (event) => ({ ...event, state_key: ruth }),
      (event) => ({ ...event, type: 'm.room.power_levels' }),
      (event) => ({ ...event, room_id: '!other:res.test' }),
      (event) => ({ ...event, content: { membership: 'leave' } }),
      (event) => ({ ...event, prev_events: [] }),
      (event) => ({ ...event, prev_events: [['$a', { sha256: '' }]] }),
      (event) => ({ ...event, auth_events: 'none' }),
      (event) => ({ ...event, depth: 'deep' }),
      (event) => ({ ...event, depth: -1 }),
      ({ content: _, ...event }) => event,
    ];
    for (const [i, lie] of lies.entries()) {
      street.faults.template = (server, { event }) => (server === res.name ? lie(event) : event);
      loc.asked.length = 0;
      await assert.rejects(join(lena, ['res.test']), { errcode: 'M_UNKNOWN' }, String(i));
      assert.deepEqual(loc.asked, ['make_join res.test']);
    }
    await join(lena, ['res.test', 'ext.test']);
    assert.deepEqual(loc.asked.slice(-3), [
      'make_join res.test',
      'make_join ext.test',
      'send_join ext.test',
    ]);
    await street.close();
  });

  it('takes no more of a template than the room has to say', async () => {
    const { street, loc, lena, roomId, join } = await setUp(backend);
    street.faults.template = (_server, { event }) => ({
      ...event,
      origin_server_ts: 1,
      redacts: '$other',
      content: { membership: 'join', displayname: 'Mallory', 'evil.key': true },
    });
    await join();
    const [member] = await loc.api.queryStateEvents({
      roomId,
      keys: [{ type: 'm.room.member', stateKey: lena }],
    });
    assert.deepEqual(member?.json.content, { membership: 'join', displayname: 'Lena' });
    assert.equal(member?.json.redacts, undefined);
    assert.notEqual(member?.json.origin_server_ts, 1);
    await street.close();
  });

  it('takes nothing of a state that does not validate, and asks the next server', async () => {
    const { street, res, loc, roomId, lena, join } = await setUp(backend);
    const ext = await street.start(otherDatabase(), 'ext.test');
    const emil = user('emil', ext);
    await ext.api.performJoin({
      roomIdOrAlias: roomId,
      userId: emil,
      serverNames: [res.name],
      content: {},
    });
    const isOf = (type: string) => (json: PduJson) => json.type === type;
    const lies: ((answer: SendJoinAnswer) => SendJoinAnswer)[] = [
      (answer) => ({ ...answer, membersOmitted: true }),
      (answer) => ({ ...answer, state: [] }),
      (answer) => ({ ...answer, authChain: [], state: answer.state.slice(1) }),
      (answer) => ({
        ...answer,
        authChain: answer.authChain.filter((json) => !isOf('m.room.power_levels')(json)),
        state: answer.state.filter((json) => !isOf('m.room.power_levels')(json)),
      }),
      (answer) => ({
        ...answer,
        state: [...answer.state, answer.state.find(isOf('m.room.create')) as PduJson],
      }),
      (answer) => ({
        ...answer,
        state: answer.state.map((json) =>
          isOf('m.room.join_rules')(json) ? { ...json, sender: emil } : json,
        ),
      }),
      (answer) => ({
        ...answer,
        event: { ...(answer.event as PduJson), content: { membership: 'ban' } },
      }),
    ];
    for (const [i, lie] of lies.entries()) {
      street.faults.joinAnswer = (server, answer) => (server === res.name ? lie(answer) : answer);
      await assert.rejects(join(lena, ['res.test']), { errcode: 'M_UNKNOWN' }, String(i));
      assert.equal(await loc.api.queryRoom({ roomId }), undefined);
    }
    await join(lena, ['res.test', 'ext.test']);
    assert.equal((await loc.api.queryRoom({ roomId }))?.isResident, true);
    await street.close();
  });

  it('joins once for several who want it at the same time', async () => {
    const { street, res, loc, roomId, lena, join } = await setUp(backend);
    const others = [user('lars', loc), user('lola', loc)];
    await Promise.all([lena, ...others].map((userId) => join(userId)));
    assert.equal(loc.asked.filter((asked) => asked.startsWith('send_join')).length, 1);
    const members = await loc.api.queryMemberships({ roomId, userIds: [lena, ...others] });
    assert.deepEqual(
      members.map(({ membership }) => membership),
      ['join', 'join', 'join'],
    );
    const local = (await loc.entries(roomId)).filter(
      (entry) => entry.kind === 'NewRoomEvent' && entry.sendAs === loc.name,
    );
    assert.equal(local.length, 2);
    const ids = local.map((entry) => (entry as { event: { eventId: EventId } }).event.eventId);
    await loc.push(res, ids);
    assert.equal((await res.api.queryRoom({ roomId }))?.joinedMembers, 4);
    await street.close();
  });

  for (const roomVersion of ['11', '12'] as const)
    it(`comes back into a room that has gone on without it, version ${roomVersion}`, async () => {
      const { street, res, loc, roomId, ruth, lena, join } = await setUp(backend, roomVersion);
      await join();
      await loc.api.performMembershipChange({
        roomId,
        sender: lena,
        target: lena,
        action: 'leave',
        content: {},
      });
      const left = (await loc.api.queryRoom({ roomId }))?.forwardExtremities ?? [];
      await loc.push(res, left);
      await res.api.performSendEvent({
        roomId,
        sender: ruth,
        type: 'm.room.topic',
        stateKey: '',
        content: { topic: 'without you' },
      });
      const missed = await say(res, roomId, ruth);
      // Nobody of us is in it: what is sent is none of our business.
      const results = await res.push(loc, [missed]);
      assert.deepEqual(results, {});
      await join();
      assert.deepEqual(await loc.api.queryRoom({ roomId }), await res.api.queryRoom({ roomId }));
      const entries = await loc.entries(roomId);
      assert.deepEqual(
        entries.slice(-2).map(({ kind }) => kind),
        ['StateReplaced', 'NewRoomEvent'],
      );
      assert.ok(await isAccepted(loc, await say(loc, roomId, lena)));
      await street.close();
    });

  it('receives what is sent while it joins', async () => {
    const { street, res, loc, roomId, ruth, join } = await setUp(backend);
    let pushed: Promise<unknown> | undefined;
    let said: EventId | undefined;
    street.faults.joinAnswer = (_server, answer) => answer;
    street.faults.before = async (method) => {
      if (method !== 'send_join') return;
      said = await say(res, roomId, ruth, 'before the join, and sent during it');
      pushed = res.push(loc, [said]);
    };
    await join();
    assert.deepEqual(await pushed, { [said as EventId]: {} });
    // It comes after what is not here, at which there is a second look.
    loc.clock.advance(1_000);
    await loc.context.staged.idle();
    assert.ok(await isAccepted(loc, said as EventId));
    await street.close();
  });

  it('joins by an alias, through the servers that the alias names', async () => {
    const { street, res, loc, roomId, ruth, lena } = await setUp(backend);
    const alias = '#room:res.test' as RoomAlias;
    await res.api.performSetAlias({ alias, roomId, userId: ruth });
    const joined = await loc.api.performJoin({
      roomIdOrAlias: alias,
      userId: lena,
      serverNames: [],
      content: {},
    });
    assert.equal(joined.roomId, roomId);
    assert.deepEqual(loc.asked, ['alias res.test', 'make_join res.test', 'send_join res.test']);
    await street.close();
  });

  it('says what the last server said', async () => {
    const { street, loc, roomId, lena, res, ruth } = await setUp(backend);
    const request = { roomIdOrAlias: roomId, userId: lena, serverNames: [res.name], content: {} };
    await res.api.performSendEvent({
      roomId,
      sender: ruth,
      type: 'm.room.join_rules',
      stateKey: '',
      content: { join_rule: 'invite' },
    });
    await assert.rejects(loc.api.performJoin(request), { errcode: 'M_FORBIDDEN' });
    // The domain of the room's id is asked last.
    street.faults.before = () => {
      throw new MatrixError('M_UNKNOWN', 'nobody is reached');
    };
    await assert.rejects(loc.api.performJoin(request), { errcode: 'M_UNKNOWN' });
    await street.close();
  });

  it('joins through another server a room in which it may let nobody in itself', async () => {
    const { street, res, loc, roomId, ruth, lena, join } = await setUp(backend);
    const lars = user('lars', loc);
    const club = await makeRoom(res, { creator: ruth });
    await join();
    for (const userId of [lena, lars]) {
      const request = { roomIdOrAlias: club, userId, serverNames: [res.name], content: {} };
      await loc.api.performJoin(request);
    }
    const joinsOfClub = (await loc.entries(club)).flatMap((entry) =>
      entry.kind === 'NewRoomEvent' && entry.sendAs ? [entry.event.eventId] : [],
    );
    await loc.push(res, joinsOfClub);
    const set = async (type: string, content: JsonObject) => {
      const event = { roomId, sender: ruth, type, stateKey: '', content };
      await res.push(loc, [(await res.api.performSendEvent(event)).eventId]);
    };
    await set('m.room.power_levels', { users: { [ruth]: 100 }, invite: 50 });
    await set('m.room.join_rules', {
      join_rule: 'restricted',
      allow: [{ type: 'm.room_membership', room_id: club }],
    });
    loc.asked.length = 0;
    await join(lars, []);
    assert.deepEqual(loc.asked, ['make_join res.test', 'send_join res.test']);
    const entry = (await loc.entries(roomId)).at(-1);
    assert.ok(entry?.kind === 'NewRoomEvent' && entry.sendAs === undefined);
    assert.equal(entry.event.json.content.join_authorised_via_users_server, ruth);
    assert.equal((await loc.api.queryRoom({ roomId }))?.joinedMembers, 3);
    await street.close();
  });
});

forEachBackend('guests and rooms of other servers', (backend) => {
  it('brings guests into rooms that let them in, and out of others', async () => {
    const { street, loc, roomId, lena, res, ruth } = await setUp(backend);
    const request = { roomIdOrAlias: roomId, userId: lena, serverNames: [res.name], content: {} };
    const memberOf = async (server: Neighbour) =>
      (await server.api.queryMemberships({ roomId, userIds: [lena] }))[0];
    await assert.rejects(loc.api.performJoin({ ...request, isGuest: true }), {
      errcode: 'M_GUEST_ACCESS_FORBIDDEN',
    });
    const left = await memberOf(loc);
    assert.equal(left?.membership, 'leave');
    assert.notEqual((await loc.api.queryRoom({ roomId }))?.isResident, true);
    const entry = (await loc.entries(roomId)).at(-1);
    assert.ok(entry?.kind === 'NewRoomEvent' && entry.sendAs === loc.name);
    await loc.push(res, [left.eventId]);
    assert.equal((await memberOf(res))?.membership, 'leave');
    // By one server is enough: the others would say the same.
    assert.deepEqual(loc.asked, ['make_join res.test', 'send_join res.test']);

    const access = { roomId, sender: ruth, type: 'm.room.guest_access', stateKey: '' };
    const may = { ...access, content: { guest_access: 'can_join' } };
    await res.api.performSendEvent(may);
    await loc.api.performJoin({ ...request, isGuest: true });
    assert.equal((await memberOf(loc))?.membership, 'join');
    // She is known as a guest: when they may not be there any more, she leaves.
    const no = { ...access, content: { guest_access: 'forbidden' } };
    const { eventId } = await res.api.performSendEvent(no);
    await res.push(loc, [eventId]);
    assert.equal((await memberOf(loc))?.membership, 'leave');
    await street.close();
  });
});
