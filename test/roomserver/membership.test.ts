// Joining, leaving and being made to: what local users may do, and what is told to them when they may not.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { upsertMemberships } from '../../src/roomserver/store/memberships.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, makeRoom, startRoomserver, type TestRoom } from './harness.ts';

type Action = 'invite' | 'leave' | 'kick' | 'ban' | 'unban';

async function setUp(backend: Backend, room: TestRoom = {}) {
  const server = await startRoomserver(backend);
  const { api } = server;
  const roomId = await makeRoom(server, room);
  const change = (sender: UserId, action: Action, target: UserId = sender) =>
    api.performMembershipChange({ roomId, sender, target, action, content: {} });
  const join = (userId: UserId, content: JsonObject = {}, isGuest = false) =>
    api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content, isGuest });
  const knock = (userId: UserId) =>
    api.performKnock({ roomIdOrAlias: roomId, userId, serverNames: [], content: {} });
  const membership = async (userId: UserId) =>
    (await api.queryMemberships({ roomId, userIds: [userId] }))[0]?.membership;
  const set = (type: string, content: JsonObject) =>
    api.performSendEvent({ roomId, sender: ALICE, type, stateKey: '', content });
  return { ...server, roomId, change, join, knock, membership, set };
}

const FORBIDDEN = { errcode: 'M_FORBIDDEN' };
const INVITE_ONLY: TestRoom = {
  state: [{ type: 'm.room.join_rules', content: { join_rule: 'invite' } }],
};

forEachBackend('membership', (backend) => {
  it('joins, leaves and keeps count', async () => {
    const { api, roomId, join, change, membership, close } = await setUp(backend);
    await join(BOB, { displayname: 'Bob' });
    const again = await join(BOB, { displayname: 'Robert' });
    assert.equal(again.roomId, roomId);
    assert.equal((await api.queryRoom({ roomId }))?.joinedMembers, 2);
    await change(BOB, 'leave');
    await change(BOB, 'leave');
    assert.equal(await membership(BOB), 'leave');
    assert.equal((await api.queryRoom({ roomId }))?.joinedMembers, 1);
    await assert.rejects(change(CAROL, 'leave'), FORBIDDEN);
    await assert.rejects(change(BOB, 'leave', ALICE), FORBIDDEN);
    await change(ALICE, 'leave');
    const room = await api.queryRoom({ roomId });
    assert.deepEqual([room?.joinedMembers, room?.isResident], [0, false]);
    // Nobody else is there whose word would count for more.
    await join(BOB);
    assert.equal((await api.queryRoom({ roomId }))?.isResident, true);
    await close();
  });

  it('lets in by invite only where that is the rule', async () => {
    const { api, roomId, join, change, membership, close } = await setUp(backend, INVITE_ONLY);
    await assert.rejects(join(BOB), FORBIDDEN);
    await change(ALICE, 'invite', BOB);
    const room = await api.queryRoom({ roomId });
    assert.equal(room?.invitedMembers, 1);
    const invites = await api.queryRoomsOfUser({ userId: BOB, memberships: ['invite'] });
    assert.deepEqual(
      invites.map((entry) => entry.roomId),
      [roomId],
    );
    await join(BOB);
    assert.equal((await api.queryRoom({ roomId }))?.invitedMembers, 0);
    await change(BOB, 'invite', CAROL);
    await change(CAROL, 'leave');
    assert.equal(await membership(CAROL), 'leave');
    await assert.rejects(join(CAROL), FORBIDDEN);
    await assert.rejects(change(CAROL, 'invite', CAROL), FORBIDDEN);
    await assert.rejects(change(ALICE, 'invite', BOB), FORBIDDEN);
    await assert.rejects(change(ALICE, 'invite', '@dan:there.test' as UserId), FORBIDDEN);
    await close();
  });

  it('lets an invite be rejected after everybody has left', async () => {
    const { change, membership, close } = await setUp(backend, INVITE_ONLY);
    await change(ALICE, 'invite', BOB);
    await change(ALICE, 'leave');
    await change(BOB, 'leave');
    assert.equal(await membership(BOB), 'leave');
    await close();
  });

  it('bans until unbanned', async () => {
    const { join, change, membership, close } = await setUp(backend);
    await join(BOB);
    await assert.rejects(change(BOB, 'ban', ALICE), FORBIDDEN);
    await change(ALICE, 'ban', BOB);
    assert.equal(await membership(BOB), 'ban');
    for (const attempt of [
      () => join(BOB),
      () => change(ALICE, 'invite', BOB),
      () => change(ALICE, 'kick', BOB),
      () => change(BOB, 'leave'),
      () => change(BOB, 'unban', BOB),
    ]) {
      await assert.rejects(attempt(), FORBIDDEN);
    }
    await change(ALICE, 'unban', BOB);
    assert.equal(await membership(BOB), 'leave');
    await assert.rejects(change(ALICE, 'unban', BOB), FORBIDDEN);
    await join(BOB);
    // Who was never here can be banned.
    await change(ALICE, 'ban', CAROL);
    assert.equal(await membership(CAROL), 'ban');
    await close();
  });

  it('kicks only who is there, and only with power', async () => {
    const { join, change, membership, close } = await setUp(backend);
    await assert.rejects(change(ALICE, 'kick', BOB), FORBIDDEN);
    await join(BOB);
    await join(CAROL);
    await assert.rejects(change(CAROL, 'kick', BOB), FORBIDDEN);
    await change(ALICE, 'kick', BOB);
    assert.equal(await membership(BOB), 'leave');
    await assert.rejects(change(ALICE, 'kick', BOB), FORBIDDEN);
    await assert.rejects(change(BOB, 'kick', CAROL), FORBIDDEN);
    await close();
  });

  it('knocks where that is the rule', async () => {
    const knocking = await setUp(backend, {
      state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
    });
    await knocking.knock(BOB);
    assert.equal(await knocking.membership(BOB), 'knock');
    await assert.rejects(knocking.join(BOB), FORBIDDEN);
    await knocking.change(BOB, 'leave');
    await knocking.knock(BOB);
    await knocking.change(ALICE, 'invite', BOB);
    await knocking.join(BOB);
    await assert.rejects(knocking.knock(BOB), FORBIDDEN);
    const roomIds: TestRoom[] = [{}, { roomVersion: '6' }];
    for (const room of roomIds) {
      const roomId = await makeRoom(knocking, room);
      const attempt = knocking.api.performKnock({
        roomIdOrAlias: roomId,
        userId: CAROL,
        serverNames: [],
        content: {},
      });
      await assert.rejects(attempt, FORBIDDEN);
    }
    await knocking.close();
  });

  it('lets members of the allowed room in, and nobody else', async () => {
    for (const roomVersion of ['8', '12'] as const) {
      const scene = await setUp(backend, { roomVersion });
      const { api, roomId } = scene;
      const club = await makeRoom(scene, { roomVersion });
      const allow = [{ type: 'm.room_membership', room_id: club }];
      await scene.set('m.room.join_rules', { join_rule: 'restricted', allow });
      await assert.rejects(scene.join(BOB), FORBIDDEN);
      await assert.rejects(scene.join(BOB, { join_authorised_via_users_server: ALICE }), FORBIDDEN);
      await api.performJoin({ roomIdOrAlias: club, userId: BOB, serverNames: [], content: {} });
      await scene.join(BOB);
      const key = { type: 'm.room.member', stateKey: BOB };
      const [member] = await api.queryStateEvents({ roomId, keys: [key] });
      assert.equal(member?.json.content.join_authorised_via_users_server, ALICE);
      await scene.change(ALICE, 'leave');
      await scene.change(BOB, 'leave');
      await scene.close();
    }
  });

  it('finds who may let somebody in however many may not', async () => {
    const scene = await setUp(backend, { roomVersion: '11' });
    const { api, roomId, database, set, join } = scene;
    const zoe = '@zoe:here.test' as UserId;
    const club = await makeRoom(scene);
    await api.performJoin({ roomIdOrAlias: club, userId: BOB, serverNames: [], content: {} });
    await join(zoe);
    const crowd = Array.from({ length: 1_100 }, (_, n) => ({
      roomId,
      userId: `@crowd${n}:here.test` as UserId,
      membership: 'join',
      eventId: '$none' as EventId,
    }));
    await database.transact((tx) => upsertMemberships(tx, crowd));
    await set('m.room.power_levels', { users: { [ALICE]: 100, [zoe]: 50 }, invite: 50 });
    const allow = [{ type: 'm.room_membership', room_id: club }];
    await set('m.room.join_rules', { join_rule: 'restricted', allow });
    await scene.change(ALICE, 'leave');
    await join(BOB);
    const key = { type: 'm.room.member', stateKey: BOB };
    const [member] = await api.queryStateEvents({ roomId, keys: [key] });
    assert.equal(member?.json.content.join_authorised_via_users_server, zoe);
    await scene.close();
  });

  it('says when nobody here may let somebody in', async () => {
    const scene = await setUp(backend, { roomVersion: '11' });
    const club = await makeRoom(scene);
    for (const roomIdOrAlias of [club, scene.roomId]) {
      for (const userId of [BOB, CAROL]) {
        if (roomIdOrAlias === scene.roomId && userId === CAROL) continue;
        await scene.api.performJoin({ roomIdOrAlias, userId, serverNames: [], content: {} });
      }
    }
    await scene.set('m.room.power_levels', { users: { [ALICE]: 100 }, invite: 50 });
    const allow = [{ type: 'm.room_membership', room_id: club }];
    await scene.set('m.room.join_rules', { join_rule: 'restricted', allow });
    await scene.change(ALICE, 'leave');
    await assert.rejects(scene.join(CAROL), { errcode: 'M_UNABLE_TO_GRANT_JOIN' });
    await scene.close();
  });

  it('lets guests in where they may be, and makes them leave when they may not any more', async () => {
    const { api, roomId, join, membership, set, change, close } = await setUp(backend);
    const guest = '@guest:here.test' as UserId;
    const closed = { errcode: 'M_GUEST_ACCESS_FORBIDDEN' };
    await assert.rejects(join(guest, {}, true), closed);
    const bySending = { roomId, sender: guest, stateKey: guest, isGuest: true };
    const member = { type: 'm.room.member', content: { membership: 'join' } };
    await assert.rejects(api.performSendEvent({ ...bySending, ...member }), closed);
    await set('m.room.guest_access', { guest_access: 'can_join' });
    await join(guest, {}, true);
    await join(BOB);
    await set('m.room.guest_access', { guest_access: 'forbidden' });
    assert.equal(await membership(guest), 'leave');
    assert.equal(await membership(BOB), 'join');
    assert.equal((await api.queryRoom({ roomId }))?.joinedMembers, 2);
    // Who has become an ordinary user since then stays.
    await set('m.room.guest_access', { guest_access: 'can_join' });
    await join(guest, {}, false);
    await set('m.room.guest_access', { guest_access: 'forbidden' });
    assert.equal(await membership(guest), 'join');
    await change(guest, 'leave');
    await close();
  });

  it('forgets a room that was left', async () => {
    const { api, roomId, join, change, entries, close } = await setUp(backend);
    const forget = (userId: UserId) => api.performForget({ roomId, userId });
    await assert.rejects(forget(BOB), { errcode: 'M_NOT_FOUND' });
    await join(BOB);
    await assert.rejects(forget(BOB), { errcode: 'M_UNKNOWN' });
    await change(BOB, 'leave');
    const { position } = await forget(BOB);
    const entry = (await entries(roomId)).at(-1);
    assert.deepEqual([entry?.kind, entry?.position], ['ForgetRoom', position]);
    const asked = { userId: BOB, memberships: ['leave'] };
    assert.equal((await api.queryRoomsOfUser(asked))[0]?.forgotten, true);
    await join(BOB);
    await change(BOB, 'leave');
    assert.equal((await api.queryRoomsOfUser(asked))[0]?.forgotten, false);
    await close();
  });

  it('knows nothing of rooms that are not here', async () => {
    const { api, close } = await setUp(backend);
    const roomId = '!none:here.test' as RoomId;
    const unknown = { errcode: 'M_NOT_FOUND' };
    const base = { roomIdOrAlias: roomId, userId: BOB, serverNames: [], content: {} };
    await assert.rejects(api.performJoin(base), unknown);
    await assert.rejects(api.performKnock(base), unknown);
    await assert.rejects(api.performForget({ roomId, userId: BOB }), unknown);
    for (const action of ['invite', 'leave', 'kick', 'ban', 'unban'] as const) {
      const change = { roomId, sender: BOB, target: BOB, action, content: {} };
      await assert.rejects(api.performMembershipChange(change), unknown);
    }
    assert.equal(await api.queryRoom({ roomId }), undefined);
    assert.deepEqual(await api.queryMemberships({ roomId, userIds: [BOB] }), []);
    await assert.rejects(api.queryPower({ roomId, userId: BOB }), unknown);
    await assert.rejects(api.queryStateIds({ roomId, members: 'all' }), unknown);
    await close();
  });

  it('keeps count while many come and go at once', async () => {
    const { api, roomId, join, change, entries, close } = await setUp(backend);
    const users = Array.from({ length: 12 }, (_, n) => `@user${n}:here.test` as UserId);
    const outcomes = await Promise.allSettled(
      users.flatMap((user) => [
        join(user),
        change(ALICE, 'ban', user),
        join(user),
        change(ALICE, 'unban', user),
        join(user),
      ]),
    );
    assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
    const members = await api.queryMemberships({ roomId, userIds: [ALICE, ...users] });
    const joined = members.filter(({ membership }) => membership === 'join').length;
    assert.equal((await api.queryRoom({ roomId }))?.joinedMembers, joined);
    // Each change of membership says truly what was before it.
    const last = new Map<string, string | undefined>();
    for (const entry of await entries(roomId)) {
      if (entry.kind !== 'NewRoomEvent') continue;
      for (const { type, stateKey, membership, previousMembership } of entry.stateChanges) {
        if (type !== 'm.room.member') continue;
        assert.equal(previousMembership, last.get(stateKey));
        last.set(stateKey, membership);
      }
    }
    for (const { userId, membership } of members) assert.equal(membership, last.get(userId));
    await close();
  });
});
