// What was in a room before somebody came, where only members may know.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { register, type TestClient } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

let server: InProcessServer;
let alice: TestClient;
let bob: TestClient;
let room: string;
let early: string;
let rules: string;

before(async () => {
  server = await startInProcess();
  alice = await register(server.baseUrl, 'alice');
  bob = await register(server.baseUrl, 'bob');
  room = await alice.createRoom({
    preset: 'public_chat',
    initial_state: [
      { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } },
    ],
  });
  await alice.setState(room, 'm.room.topic', '', { topic: 'secret' });
  const secret = { membership: 'join', displayname: 'secret' };
  await alice.setState(room, 'm.room.member', alice.userId, secret);
  rules = await alice.setState(room, 'org.example.rules', '', { body: 'be kind' });
  early = (await alice.sync()).next_batch;
  const mistake = await alice.setState(room, 'org.example.mistake', '', { body: 'oops' });
  const redaction = `redact/${encodeURIComponent(mistake)}/1`;
  await alice.ok('PUT', path(redaction), { reason: 'secret' });
  await alice.setState(room, 'm.room.topic', '', { topic: 'open' });
  await alice.setState(room, 'm.room.member', alice.userId, { membership: 'join' });
  await bob.ok('POST', `/v3/join/${encodeURIComponent(room)}`, {});
});

after(async () => {
  await server.close();
});

function path(rest: string): string {
  return `/v3/rooms/${encodeURIComponent(room)}/${rest}`;
}

test('members at a time before are not told', async () => {
  const { chunk } = await bob.ok('GET', path(`members?at=${early}`));
  assert.doesNotMatch(JSON.stringify(chunk), /secret/);
  const { chunk: own } = await alice.ok('GET', path(`members?at=${early}`));
  assert.match(JSON.stringify(own), /secret/);
});

test('the state around what is still in force is not told', async () => {
  const context = await bob.ok('GET', path(`context/${encodeURIComponent(rules)}?limit=0`));
  assert.equal(context.event.event_id, rules);
  assert.doesNotMatch(JSON.stringify(context), /secret/);
  const own = await alice.ok('GET', path(`context/${encodeURIComponent(rules)}?limit=0`));
  assert.match(JSON.stringify(own), /secret/);
});

test('nor by what the room begins with for who has just come', async () => {
  for (const limit of [1, 3, 5, 20]) {
    const filter = JSON.stringify({ room: { timeline: { limit } } });
    const { rooms } = await bob.sync({ filter });
    const { timeline, state } = rooms.join[room];
    assert.doesNotMatch(JSON.stringify([timeline, state]), /secret/, `limit ${limit}`);
  }
  for (const limit of [1, 3, 5, 20]) {
    const initial = await bob.ok('GET', path(`initialSync?limit=${limit}`));
    assert.doesNotMatch(JSON.stringify(initial), /secret/, `initialSync ${limit}`);
    const messages = await bob.ok('GET', path(`messages?dir=b&limit=${limit}`));
    assert.doesNotMatch(JSON.stringify(messages), /secret/, `messages ${limit}`);
  }
  const filter = JSON.stringify({ lazy_load_members: true });
  const messages = await bob.ok(
    'GET',
    path(`messages?dir=b&limit=50&filter=${encodeURIComponent(filter)}`),
  );
  assert.doesNotMatch(JSON.stringify(messages), /secret/);
});

test('nor by why current state was redacted', async () => {
  for (const place of ['state', 'state/org.example.mistake/?format=event', 'initialSync']) {
    const told = JSON.stringify(await bob.ok('GET', path(place)));
    assert.match(told, /redacted_because/);
    assert.doesNotMatch(told, /secret/, place);
  }
});
