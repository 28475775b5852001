// What changes of users reaches their rooms: profiles and deactivations, whatever happens in between.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { UserEntry } from '../../src/eventlog/entries.ts';
import type { RoomId, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { type Following, followUsers } from '../../src/roomserver/consumers/follow-users.ts';
import { type Backend, type BackendOptions, forEachBackend } from '../contracts/backends.ts';
import { ALICE, BOB, CAROL, makeRoom, startRoomserver, type TestRoomserver } from './harness.ts';

type WithoutVersion<Entry> = Entry extends unknown ? Omit<Entry, 'v'> : never;
type Change = WithoutVersion<UserEntry>;

interface Followed extends TestRoomserver {
  readonly following: Following;
}

async function start(backend: Backend, options: BackendOptions = {}): Promise<Followed> {
  const server = await startRoomserver(backend, options);
  const following = followUsers(server.context);
  const close = async () => {
    await following.close();
    await server.close();
  };
  return { ...server, following, close };
}

/** Writes entries as the userserver does. */
async function write({ database, eventLog }: TestRoomserver, userId: UserId, changes: Change[]) {
  const entries = changes.map((change) => ({
    key: userId,
    entry: { v: 1, ...change } as UserEntry,
  }));
  const ticket = await database.transact((tx) => eventLog.append(tx, 'userserver.output', entries));
  return eventLog.position(ticket);
}

/** Writes them and waits until all is done that can be done now. */
async function tell(server: Followed, userId: UserId, changes: Change[]): Promise<void> {
  assert.ok(await server.following.settled(await write(server, userId, changes)));
}

const profile = (displayname?: string, avatarUrl?: string): Change => ({
  kind: 'ProfileChanged',
  ...(displayname !== undefined && { displayname }),
  ...(avatarUrl !== undefined && { avatarUrl }),
});

async function member({ api }: TestRoomserver, roomId: RoomId, userId: UserId) {
  const keys = [{ type: 'm.room.member', stateKey: userId }];
  return (await api.queryStateEvents({ roomId, keys }))[0]?.json.content;
}

function join({ api }: TestRoomserver, roomId: RoomId, content: JsonObject = {}, userId = BOB) {
  return api.performJoin({ roomIdOrAlias: roomId, userId, serverNames: [], content });
}

function change(
  { api }: TestRoomserver,
  roomId: RoomId,
  target: UserId,
  action: 'invite' | 'ban' | 'kick',
) {
  return api.performMembershipChange({ roomId, sender: ALICE, target, action, content: {} });
}

const pending = ({ database }: TestRoomserver) =>
  database.all(sql`SELECT user_id, kind FROM roomserver_user_changes ORDER BY user_id, kind`);

forEachBackend('changes of users', (backend) => {
  it('bring a profile into the rooms that the user has joined, and only there', async () => {
    const server = await start(backend);
    const [joined, also, invited, left, other] = await Promise.all(
      Array.from({ length: 5 }, () => makeRoom(server)),
    );
    assert.ok(joined && also && invited && left && other);
    await join(server, joined, { displayname: 'old', reason: 'curious', 'org.example': 1 });
    await join(server, also);
    await change(server, invited, BOB, 'invite');
    await join(server, left);
    await change(server, left, BOB, 'kick');
    await tell(server, BOB, [profile('Bob', 'mxc://here.test/bob')]);
    const values = { displayname: 'Bob', avatar_url: 'mxc://here.test/bob' };
    const membership = 'join';
    assert.deepEqual(await member(server, joined, BOB), {
      membership,
      'org.example': 1,
      ...values,
    });
    assert.deepEqual(await member(server, also, BOB), { membership, ...values });
    assert.deepEqual(await member(server, invited, BOB), { membership: 'invite' });
    assert.deepEqual(await member(server, left, BOB), { membership: 'leave' });
    assert.equal(await member(server, other, BOB), undefined);
    assert.deepEqual(await member(server, joined, ALICE), { membership });
    await tell(server, BOB, [profile()]);
    assert.deepEqual(await member(server, also, BOB), { membership });
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  it('send nothing where the values are there already', async () => {
    const server = await start(backend);
    const roomId = await makeRoom(server);
    await join(server, roomId, { displayname: 'Bob', reason: 'curious' });
    const head = await server.eventLog.head('roomserver.output');
    await tell(server, BOB, [profile('Bob')]);
    await tell(server, BOB, [profile('Bob')]);
    assert.equal(await server.eventLog.head('roomserver.output'), head);
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  it('end with the latest of several profiles', async () => {
    const server = await start(backend);
    const rooms = await Promise.all(Array.from({ length: 20 }, () => makeRoom(server)));
    await Promise.all(rooms.map((roomId) => join(server, roomId)));
    for (let i = 0; i < 5; i++) await write(server, BOB, [profile(`Bob ${i}`), profile(`B${i}`)]);
    await tell(server, BOB, [profile('Bob')]);
    for (const roomId of rooms) {
      assert.equal((await member(server, roomId, BOB))?.displayname, 'Bob');
    }
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  it('are not stopped by rooms that refuse', async () => {
    const server = await start(backend);
    const rooms = await Promise.all(Array.from({ length: 40 }, () => makeRoom(server)));
    await Promise.all(rooms.map((roomId) => join(server, roomId)));
    const gate = Promise.withResolvers<void>();
    const [banned, purged] = rooms.toSorted();
    assert.ok(banned && purged);
    // While these are held, the user is banned in one and the other goes.
    const held = [banned, purged].map((roomId) =>
      server.context.rooms.change(roomId, () => gate.promise),
    );
    const ban = change(server, banned, BOB, 'ban');
    const purge = server.api.performPurge({ roomId: purged });
    const told = tell(server, BOB, [profile('Bob')]);
    gate.resolve();
    await Promise.all([...held, ban, purge, told]);
    assert.deepEqual(await member(server, banned, BOB), { membership: 'ban' });
    for (const roomId of rooms) {
      if (roomId === banned || roomId === purged) continue;
      assert.equal((await member(server, roomId, BOB))?.displayname, 'Bob');
    }
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  it('make a deactivated user leave, reject and take back, and tell others apart', async () => {
    const server = await start(backend);
    const knockable = { type: 'm.room.join_rules', content: { join_rule: 'knock' } };
    const [joined, invited, banned] = await Promise.all(
      Array.from({ length: 3 }, () => makeRoom(server)),
    );
    const knocked = await makeRoom(server, { state: [knockable] });
    assert.ok(joined && invited && banned);
    await join(server, joined);
    await join(server, joined, {}, CAROL);
    await change(server, invited, BOB, 'invite');
    await change(server, banned, BOB, 'ban');
    const knock = { roomIdOrAlias: knocked, userId: BOB, serverNames: [], content: {} };
    await server.api.performKnock(knock);
    await tell(server, BOB, [profile('gone'), { kind: 'UserDeactivated' }, profile()]);
    for (const roomId of [joined, invited, knocked]) {
      assert.equal((await member(server, roomId, BOB))?.membership, 'leave');
    }
    assert.equal((await member(server, banned, BOB))?.membership, 'ban');
    assert.equal((await member(server, joined, CAROL))?.membership, 'join');
    const memberships = ['join', 'invite', 'knock'];
    assert.deepEqual(await server.api.queryRoomsOfUser({ userId: BOB, memberships }), []);
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  for (const kind of ['ProfileChanged', 'UserDeactivated'] as const) {
    it(`are taken up again after a crash in the middle: ${kind}`, async () => {
      let isFailing = false;
      const beforeCommit = async () => {
        if (isFailing) throw new Error('disk full');
      };
      const first = await start(backend, { beforeCommit });
      const made = await Promise.all(Array.from({ length: 50 }, () => makeRoom(first)));
      await Promise.all(made.map((roomId) => join(first, roomId)));
      const { rooms } = first.context;
      const original = rooms.change.bind(rooms);
      let begun = 0;
      rooms.change = (roomId, work) => {
        begun++;
        if (begun > 20) isFailing = true;
        return original(roomId, work);
      };
      const change = kind === 'ProfileChanged' ? profile('Bob') : { kind };
      const position = await write(first, BOB, [change]);
      await first.following.settled(position);
      await first.close();

      const second = await startRoomserver(backend);
      const isDone = async (roomId: RoomId) => {
        const content = await member(second, roomId, BOB);
        return content?.displayname === 'Bob' || content?.membership === 'leave';
      };
      const done = (await Promise.all(made.map(isDone))).filter(Boolean).length;
      assert.ok(done > 0 && done < 50, `${done} of 50`);
      assert.equal((await pending(second)).length, 1);
      const following = followUsers(second.context);
      await following.settled(position);
      assert.ok((await Promise.all(made.map(isDone))).every(Boolean));
      assert.deepEqual(await pending(second), []);
      await following.close();
      await second.close();
    });
  }

  it('are tried again later when a room fails otherwise', async () => {
    const server = await start(backend);
    const roomId = await makeRoom(server);
    const broken = await makeRoom(server);
    for (const room of [roomId, broken]) await join(server, room);
    const { rooms } = server.context;
    const original = rooms.change.bind(rooms);
    let failures = 0;
    rooms.change = (room, work) => {
      if (room !== broken || failures >= 2) return original(room, work);
      failures++;
      return Promise.reject(new Error('unforeseen'));
    };
    await tell(server, BOB, [profile('Bob')]);
    assert.equal((await member(server, roomId, BOB))?.displayname, 'Bob');
    assert.equal((await member(server, broken, BOB))?.displayname, undefined);
    assert.equal((await pending(server)).length, 1);
    for (let i = 0; i < 2; i++) {
      server.clock.advance(600_000);
      await server.following.settled(0);
    }
    assert.equal(failures, 2);
    assert.equal((await member(server, broken, BOB))?.displayname, 'Bob');
    assert.deepEqual(await pending(server), []);
    await server.close();
  });

  it('follow soon when an outage is over, however much was told during it', async () => {
    const server = await start(backend);
    const roomId = await makeRoom(server);
    await join(server, roomId);
    const { rooms } = server.context;
    const original = rooms.change.bind(rooms);
    rooms.change = () => Promise.reject(new Error('unforeseen'));
    for (let i = 0; i < 20; i++) {
      await tell(server, BOB, [profile(`Bob ${i}`)]);
      server.clock.advance(100);
    }
    rooms.change = original;
    server.clock.advance(2000);
    await server.following.settled(0);
    assert.equal((await member(server, roomId, BOB))?.displayname, 'Bob 19');
    assert.deepEqual(await pending(server), []);
    await server.close();
  });
});
