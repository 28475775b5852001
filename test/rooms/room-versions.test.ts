// Every room version through the client API: what its rules allow and refuse, as far as one server can show it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROOM_VERSIONS, rulesOf } from '../../src/protocol/roomversions/table.ts';
import { type Json, register, type TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let alice: TestClient;
let bob: TestClient;
let carol: TestClient;

before(async () => {
  server = await startInProcess();
  alice = await register(server.baseUrl, 'alice');
  bob = await register(server.baseUrl, 'bob');
  carol = await register(server.baseUrl, 'carol');
});

after(async () => {
  await server.close();
});

for (const version of ROOM_VERSIONS) {
  const rules = rulesOf(version);
  const create = (options: Json = {}) =>
    alice.createRoom({ room_version: version, preset: 'public_chat', ...options });

  describe(`room version ${version}`, () => {
    test('events and their ids', async () => {
      const room = await create({ name: 'a room' });
      assert.match(room, rules.roomIdIsCreateEventId ? /^![\w-]{43}$/ : /^![\w-]+:localhost$/);
      await enter(bob, room);
      const eventId = await bob.send(room, 'hello');
      const byHash = version === '3' ? /^\$[A-Za-z0-9+/]{43}$/ : /^\$[\w-]{43}$/;
      assert.match(eventId, rules.eventFormat === 'v1' ? /^\$.+:localhost$/ : byHash);
      const event = await alice.ok('GET', at(room, `event/${encodeURIComponent(eventId)}`));
      assert.deepEqual(
        [event.content.body, event.sender, event.room_id],
        ['hello', bob.userId, room],
      );
      const [creation] = await stateOf(room, 'm.room.create');
      assert.equal(creation.content.room_version, version);
      const creator = rules.implicitCreator ? undefined : alice.userId;
      assert.equal(creation.content.creator, creator);
      assert.equal((await alice.ok('GET', at(room, 'state/m.room.name'))).name, 'a room');
    });

    test('redactions', async () => {
      const room = await create();
      await enter(bob, room);
      const own = await bob.send(room, 'taken back');
      const others = await alice.send(room, 'not his');
      const { event_id: redaction } = await redact(bob, room, own);
      await refused(redactCall(bob, room, others));
      await redact(alice, room, await bob.send(room, 'moderated'));
      const event = await alice.ok('GET', at(room, `event/${encodeURIComponent(own)}`));
      assert.deepEqual(event.content, {});
      const because = event.unsigned.redacted_because;
      assert.deepEqual([because.event_id, because.content.reason], [redaction, 'a reason']);
      assert.equal(because.redacts ?? because.content.redacts, own);
      const untouched = await bob.ok('GET', at(room, `event/${encodeURIComponent(others)}`));
      assert.equal(untouched.content.body, 'not his');
    });

    test('memberships', async () => {
      const room = await create({ preset: 'private_chat' });
      await refused(bob.call('POST', at(room, 'join'), {}));
      await invite(alice, room, bob);
      await enter(bob, room);
      await invite(bob, room, carol);
      await carol.ok('POST', at(room, 'leave'), {});
      await refused(bob.call('POST', at(room, 'kick'), { user_id: alice.userId }));
      await refused(bob.call('POST', at(room, 'ban'), { user_id: carol.userId }));
      await alice.ok('POST', at(room, 'ban'), { user_id: bob.userId, reason: 'enough' });
      await refused(bob.call('POST', at(room, 'join'), {}));
      await refused(bob.call('PUT', at(room, 'send/m.room.message/x'), { body: 'x' }));
      await alice.ok('POST', at(room, 'unban'), { user_id: bob.userId });
      await refused(bob.call('POST', at(room, 'join'), {}));
      await invite(alice, room, bob);
      await enter(bob, room);
      await alice.ok('POST', at(room, 'kick'), { user_id: bob.userId });
      const { joined } = await alice.ok('GET', at(room, 'joined_members'));
      assert.deepEqual(Object.keys(joined), [alice.userId]);
    });

    test('power levels', async () => {
      const room = await create();
      await enter(bob, room);
      await enter(carol, room);
      const levels = await alice.ok('GET', at(room, 'state/m.room.power_levels'));
      const set = (client: TestClient, change: Json) =>
        client.call('PUT', at(room, 'state/m.room.power_levels'), { ...levels, ...change });
      await refused(bob.call('PUT', at(room, 'state/m.room.topic'), { topic: 'mine' }));
      await refused(set(bob, { users: { ...levels.users, [bob.userId]: 100 } }));
      const users = { ...levels.users, [bob.userId]: 50 };
      assert.equal((await set(alice, { users })).status, 200);
      await bob.ok('PUT', at(room, 'state/m.room.topic'), { topic: 'his' });
      await refused(bob.call('PUT', at(room, 'state/m.room.power_levels'), { ...levels, users }));
      await bob.ok('POST', at(room, 'kick'), { user_id: carol.userId });
      const asText = await set(alice, { users: { ...users, [carol.userId]: '50' } });
      assert.equal(asText.status, rules.integerPowerLevels ? 403 : 200, JSON.stringify(asText));
      const named = await set(alice, { users: { ...users, [alice.userId]: 100 } });
      assert.equal(named.status, rules.privilegedCreators ? 403 : 200, JSON.stringify(named));
      const noUser = await set(alice, { users: { ...users, nobody: 50 } });
      assert.notEqual(noUser.status, 500);
    });

    test('knocking', async () => {
      const room = await create();
      const setRule = (joinRule: string) =>
        alice.call('PUT', at(room, 'state/m.room.join_rules'), { join_rule: joinRule });
      assert.equal((await setRule('knock')).status, 200);
      const knock = () =>
        bob.call('POST', `/v3/knock/${encodeURIComponent(room)}`, { reason: 'hi' });
      if (!rules.knocking) {
        await refused(knock());
        return;
      }
      assert.equal((await knock()).status, 200);
      const [member] = await stateOf(room, 'm.room.member', bob.userId);
      assert.deepEqual([member.content.membership, member.content.reason], ['knock', 'hi']);
      await refused(bob.call('POST', at(room, 'join'), {}));
      await invite(alice, room, bob);
      await enter(bob, room);
      await refused(knock());
    });

    test('joining by membership in another room', async () => {
      const club = await create();
      const room = await create();
      const allow = [{ type: 'm.room_membership', room_id: club }];
      for (const joinRule of ['restricted', 'knock_restricted']) {
        const rule = { join_rule: joinRule, allow };
        await alice.ok('PUT', at(room, 'state/m.room.join_rules'), rule);
        const isKnown = joinRule === 'restricted' ? rules.restrictedJoins : rules.knockRestricted;
        await refused(bob.call('POST', at(room, 'join'), {}));
        await enter(bob, club);
        if (isKnown) {
          await enter(bob, room);
          const [member] = await stateOf(room, 'm.room.member', bob.userId);
          assert.equal(member.content.join_authorised_via_users_server, alice.userId);
          await bob.ok('POST', at(room, 'leave'), {});
        } else {
          await refused(bob.call('POST', at(room, 'join'), {}));
        }
        await bob.ok('POST', at(club, 'leave'), {});
      }
    });

    test('creators', async () => {
      const additional = { creation_content: { additional_creators: [bob.userId] } };
      const room = await create(additional);
      await enter(bob, room);
      const rename = bob.call('PUT', at(room, 'state/m.room.name'), { name: 'by bob' });
      assert.equal((await rename).status, rules.privilegedCreators ? 200 : 403);
      const kick = alice.call('POST', at(room, 'kick'), { user_id: bob.userId });
      assert.equal((await kick).status, rules.privilegedCreators ? 403 : 200);
      const bad = { creation_content: { additional_creators: ['nobody'] } };
      const answer = await alice.call('POST', '/v3/createRoom', { room_version: version, ...bad });
      assert.equal(answer.status, rules.privilegedCreators ? 400 : 200, JSON.stringify(answer));
    });

    test('numbers that are no safe integers', async () => {
      const room = await create();
      for (const value of [0.5, -0.1, 1e100]) {
        const { status, body } = await alice.call('PUT', at(room, `send/org.test/${value}`), {
          value,
        });
        assert.ok(status === 200 || (status === 400 && body.errcode === 'M_BAD_JSON'));
        if (rules.strictCanonicalJson) assert.equal(status, 400);
      }
      assert.equal(
        (await alice.call('PUT', at(room, 'send/org.test/9'), { value: 1 })).status,
        200,
      );
    });
  });
}

function at(room: string, rest: string): string {
  return `/v3/rooms/${encodeURIComponent(room)}/${rest}`;
}

async function enter(client: TestClient, room: string): Promise<void> {
  await client.ok('POST', at(room, 'join'), {});
}

async function invite(client: TestClient, room: string, { userId }: TestClient): Promise<void> {
  await client.ok('POST', at(room, 'invite'), { user_id: userId });
}

function redactCall(client: TestClient, room: string, eventId: string) {
  const path = at(room, `redact/${encodeURIComponent(eventId)}/once`);
  return client.call('PUT', path, { reason: 'a reason' });
}

async function redact(client: TestClient, room: string, eventId: string) {
  const { status, body } = await redactCall(client, room, eventId);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function stateOf(room: string, type: string, stateKey = '') {
  const state = await alice.ok('GET', at(room, 'state'));
  return state.filter(
    (event: { type: string; state_key: string }) =>
      event.type === type && event.state_key === stateKey,
  );
}

async function refused(answer: ReturnType<TestClient['call']>): Promise<void> {
  const { status, body } = await answer;
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], JSON.stringify(body));
}
