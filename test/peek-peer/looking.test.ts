// Keyhole looks into rooms of a server that it shares no code with, which speaks MSC2444, or as Dendrite or Palpo do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../until.ts';
import type { Dialect } from './dialects.ts';
import {
  HOUR_MS,
  idsOfPuts,
  Looker,
  openScene,
  passRenewal,
  peekRequests,
  subscriptions,
} from './scene.ts';

const DIALECTS: readonly Dialect[] = ['msc2444', 'dendrite', 'palpo'];
const CLOSED = {
  type: 'm.room.history_visibility',
  stateKey: '',
  content: { history_visibility: 'shared' },
};

for (const dialect of DIALECTS) {
  describe(`a server that speaks ${dialect}`, () => {
    for (const version of ['11', '12'] as const) {
      test(`shows state, and what everybody says, room version ${version}`, async (t) => {
        const scene = await openScene(t, { dialect });
        const { peer } = scene;
        const other = await scene.newPeer();
        const room = peer.openRoom(version);
        const guest = other.user('guest');
        const joins = { type: 'm.room.member', stateKey: guest, content: { membership: 'join' } };
        await peer.add(room, joins, other);
        await peer.say(room, 'before');
        const looker = await Looker.begin(scene, room.roomId, peer.name);
        const types = looker.first.map(({ type }) => type).sort();
        assert.deepEqual(types, [
          'm.room.create',
          'm.room.history_visibility',
          'm.room.join_rules',
          'm.room.member',
          'm.room.member',
          'm.room.message',
          'm.room.power_levels',
        ]);
        await peer.say(room, 'from there', peer);
        await peer.say(room, 'from afar', other);
        await peer.say(room, 'from there again', peer);
        await looker.sees('from there again');
        assert.deepEqual(looker.seen, ['before', 'from there', 'from afar', 'from there again']);
        assert.deepEqual(peer.faults, []);
      });
    }

    test('is asked with ids that the MSC allows, all versions and an empty body', async (t) => {
      const scene = await openScene(t, { dialect });
      const room = scene.peer.openRoom('12');
      await Looker.begin(scene, room.roomId, scene.peer.name);
      const put = scene.peer.requests.find(({ parts }) => parts[2] === 'peek');
      assert.deepEqual(put?.body, {});
      assert.deepEqual(put?.query.getAll('ver').sort(byNumber), VERSIONS);
      assert.match(put?.parts[4] ?? '', /^[0-9a-zA-Z.=_-]{1,8}$/);
    });

    test('goes on being looked through for days, and is not harmed by it', async (t) => {
      const scene = await openScene(t, { dialect });
      const { peer } = scene;
      const room = peer.openRoom('12');
      const looker = await Looker.begin(scene, room.roomId, peer.name);
      for (let round = 1; round <= 4; round += 1) {
        const before = peekRequests(peer).length;
        await passRenewal(scene, dialect);
        await scene.passUntil(() => peekRequests(peer).length > before, `renewal ${round}`);
        await until(() => peer.resident.peeks.some(({ deadline }) => deadline > scene.now()));
        await peer.say(room, `round ${round}`);
        await looker.sees(`round ${round}`);
      }
      assert.equal(peer.resident.crash, undefined);
      const ids = idsOfPuts(peer);
      if (dialect === 'palpo') assert.equal(new Set(ids).size, 1);
      else assert.equal(new Set(ids).size, ids.length);
      const words = new Set(peekRequests(peer));
      const expected = dialect === 'msc2444' ? ['PUT', 'POST renew'] : ['PUT'];
      assert.deepEqual([...words], expected);
    });

    test('is told of the end, if it understands that', async (t) => {
      const scene = await openScene(t, { dialect });
      const { peer } = scene;
      const room = peer.openRoom('12');
      const looker = await Looker.begin(scene, room.roomId, peer.name);
      await looker.unpeek();
      const isTold = () => dialect === 'dendrite' || peer.resident.peeks.length === 0;
      await scene.passUntil(async () => isTold() && (await subscriptions(scene)) === 0);
      await scene.pass(24 * HOUR_MS);
      const expected = dialect === 'dendrite' ? ['PUT'] : ['PUT', 'DELETE'];
      assert.deepEqual(peekRequests(peer), expected);
      assert.equal(peer.resident.crash, undefined);
    });

    test('that breaks off its answer is not harmed by what follows', async (t) => {
      const scene = await openScene(t, { dialect });
      const { peer } = scene;
      const room = peer.openRoom('11');
      peer.intercept = (request) => {
        if (request.parts[2] !== 'peek' || request.method !== 'PUT') return undefined;
        peer.resident.answer(request, scene.server.name);
        return 'cut';
      };
      const client = await scene.server.user('unlucky');
      const unlucky = new Looker(client, room.roomId);
      assert.equal((await unlucky.peek(peer.name)).status, 502);
      await scene.pass(HOUR_MS);
      await until(() => peekRequests(peer).includes('DELETE'), 'it is taken back');
      const deleted = peer.requests.find(({ method }) => method === 'DELETE');
      // Dendrite takes it for a PUT, and absent versions for version 1.
      assert.deepEqual(deleted?.query.getAll('ver'), ['none']);
      peer.intercept = () => undefined;
      assert.equal((await unlucky.peek(peer.name)).status, 200);
      assert.equal(peer.resident.crash, undefined);
      assert.equal(new Set(idsOfPuts(peer)).size, idsOfPuts(peer).length);
    });

    test('that closes the room is believed, whether it tells of it or not', async (t) => {
      const scene = await openScene(t, { dialect });
      const { peer } = scene;
      const room = peer.openRoom('12');
      const looker = await Looker.begin(scene, room.roomId, peer.name);
      await peer.add(room, CLOSED);
      await peer.say(room, 'secret');
      // Nobody else tells of it: it is found out when the subscription is renewed.
      if (dialect === 'palpo') {
        await passRenewal(scene, dialect);
        await until(() => peekRequests(peer).length > 2, 'it is asked for once more');
        await until(async () => (await subscriptions(scene)) === 0);
      }
      await looker.seesTheEnd();
      assert.equal(looker.seen.includes('secret'), false);
      if (dialect !== 'dendrite') assert.equal((await looker.peek(peer.name)).status, 403);
    });
  });
}

const VERSIONS = Array.from({ length: 12 }, (_, index) => `${index + 1}`);
const byNumber = (one: string, other: string) => Number(one) - Number(other);

test('a subscription that the server says has expired is begun anew, under another id', async (t) => {
  const scene = await openScene(t);
  const { peer } = scene;
  const room = peer.openRoom('12');
  const looker = await Looker.begin(scene, room.roomId, peer.name);
  await peer.resident.expire(room);
  await peer.say(room, 'while nobody was told');
  await until(() => peer.resident.peeks.length === 1, 'it is begun anew');
  await peer.say(room, 'afterwards');
  await looker.sees('afterwards');
  const ids = idsOfPuts(peer);
  assert.deepEqual([ids.length, new Set(ids).size], [2, 2]);
  assert.deepEqual(looker.seen, ['while nobody was told', 'afterwards']);
});

test('two forward extremities with different states are resolved', async (t) => {
  const scene = await openScene(t);
  const { peer } = scene;
  const room = peer.openRoom('12');
  const after = [...room.heads];
  const topic = { type: 'm.room.topic', stateKey: '', content: { topic: 'a topic' } };
  const name = { type: 'm.room.name', stateKey: '', content: { name: 'a name' } };
  await peer.add(room, { ...topic, after });
  await peer.add(room, { ...name, after });
  assert.equal(room.heads.length, 2);
  const looker = await Looker.begin(scene, room.roomId, peer.name);
  const state = await looker.client.ok('GET', `/v3/rooms/${encodeURIComponent(room.roomId)}/state`);
  const types = state.map(({ type }: { type: string }) => type);
  assert.ok(types.includes('m.room.topic') && types.includes('m.room.name'), types.join());
  await peer.say(room, 'together');
  await looker.sees('together');
});

test('events that were not relayed are found by what refers to them', async (t) => {
  const scene = await openScene(t);
  const { peer } = scene;
  const room = peer.openRoom('12');
  const looker = await Looker.begin(scene, room.roomId, peer.name);
  const message = (body: string) => ({ type: 'm.room.message', content: { body } });
  room.add(peer, peer.user('owner'), message('missed one'));
  room.add(peer, peer.user('owner'), message('missed two'));
  await peer.say(room, 'arrives');
  await looker.sees('arrives');
  assert.deepEqual(looker.seen, ['missed one', 'missed two', 'arrives']);
});

test('what others say last is found when the subscription at Dendrite is begun anew', async (t) => {
  const scene = await openScene(t, { dialect: 'dendrite' });
  const { peer } = scene;
  const other = await scene.newPeer();
  const room = peer.openRoom('12');
  const guest = other.user('guest');
  const joins = { type: 'm.room.member', stateKey: guest, content: { membership: 'join' } };
  await peer.add(room, joins, other);
  const looker = await Looker.begin(scene, room.roomId, peer.name);
  await peer.say(room, 'not relayed', other);
  await passRenewal(scene, 'dendrite');
  await looker.sees('not relayed');
});

test('a gap is filled by the only way that Palpo has for outsiders', async (t) => {
  const scene = await openScene(t, { dialect: 'palpo' });
  const { peer } = scene;
  const room = peer.openRoom('12');
  const looker = await Looker.begin(scene, room.roomId, peer.name);
  const message = (body: string) => ({ type: 'm.room.message', content: { body } });
  room.add(peer, peer.user('owner'), message('missed'));
  await peer.say(room, 'arrives');
  await looker.sees('arrives');
  assert.deepEqual(looker.seen, ['missed', 'arrives']);
});
