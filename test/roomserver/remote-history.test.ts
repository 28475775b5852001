// Events that refer to others which are not here: gaps, states, auth events, and history before one has joined.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MatrixError } from '../../src/protocol/error.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase, text } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

/** Ruth's room at `res.test`, in which Lena of `loc.test` is, after `before` messages and a change of the topic. */
async function setUp(backend: Backend, { roomVersion = ROOM_VERSIONS.at(-1), before = 0 } = {}) {
  const street = new Neighbourhood();
  const res = await street.start(otherDatabase(), 'res.test');
  const loc = await street.start(backend, 'loc.test');
  const ruth = user('ruth', res);
  const lena = user('lena', loc);
  const roomId = await makeRoom(res, { creator: ruth, ...(roomVersion && { roomVersion }) });
  const old: EventId[] = [];
  for (let i = 0; i < before; i++) old.push(await say(res, roomId, ruth, `old ${i}`));
  await loc.api.performJoin({
    roomIdOrAlias: roomId,
    userId: lena,
    serverNames: ['res.test' as ServerName],
    content: {},
  });
  loc.asked.length = 0;
  return { street, res, loc, ruth, lena, roomId, old };
}

async function say(server: Neighbour, roomId: RoomId, sender: UserId, body: string) {
  const event = { roomId, sender, type: 'm.room.message', content: text(body) };
  return (await server.api.performSendEvent(event)).eventId;
}

async function standings(server: Neighbour, ids: readonly EventId[]) {
  const records = await server.context.events.load(ids);
  return ids.map((id) => records.get(id)?.standing);
}

async function oldEvents(server: Neighbour, roomId: RoomId): Promise<EventId[]> {
  const entries = await server.entries(roomId);
  return entries.flatMap((entry) => (entry.kind === 'OldRoomEvent' ? [entry.event.eventId] : []));
}

const EVERYTHING = { minDepth: 0, maxDepth: Number.MAX_SAFE_INTEGER };

forEachBackend('history of other servers', (backend) => {
  it('fills a gap with the events that it consists of', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const said: EventId[] = [];
    for (let i = 0; i < 230; i++) said.push(await say(res, roomId, ruth, `${i}`));
    await res.push(loc, said.slice(-1));
    assert.deepEqual(new Set(await standings(loc, said)), new Set(['accepted']));
    assert.deepEqual(loc.asked, Array(3).fill('get_missing_events res.test'));
    assert.deepEqual(
      (await loc.api.queryRoom({ roomId }))?.forwardExtremities,
      (await res.api.queryRoom({ roomId }))?.forwardExtremities,
    );
    await street.close();
  });

  it('asks once more where a connection breaks', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const said: EventId[] = [];
    for (let i = 0; i < 120; i++) said.push(await say(res, roomId, ruth, `${i}`));
    let requests = 0;
    street.faults.before = () => {
      requests += 1;
      if (requests % 2 === 1) throw new Error('broken');
    };
    await res.push(loc, said.slice(-1));
    assert.deepEqual(new Set(await standings(loc, said)), new Set(['accepted']));
    assert.deepEqual(loc.asked, Array(4).fill('get_missing_events res.test'));
    await street.close();
  });

  it('waits for a gap of which the rest may yet be had, but not for ever', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const said: EventId[] = [];
    for (let i = 0; i < 120; i++) said.push(await say(res, roomId, ruth, `${i}`));
    let given = 0;
    street.faults.answer = (method, _server, answer) => {
      if (method !== 'get_missing_events') return answer;
      given += 1;
      if (given > 1) throw new MatrixError('M_LIMIT_EXCEEDED', 'later');
      return answer;
    };
    await res.push(loc, said.slice(-1));
    assert.deepEqual(new Set(await standings(loc, said)), new Set([undefined]));
    for (const ms of [1_000, 10_000]) {
      loc.clock.advance(ms);
      await loc.context.staged.idle();
      assert.deepEqual(new Set(await standings(loc, said)), new Set([undefined]));
    }
    assert.ok(!loc.asked.some((one) => one.startsWith('state')), loc.asked.join());
    // There is no more hope for all of it.
    loc.clock.advance(60_000);
    await loc.context.staged.idle();
    assert.deepEqual(await standings(loc, said.slice(-2)), ['outlier', 'accepted']);
    // A refusal is an answer: nobody is asked the same once more.
    assert.equal(given, 5);
    await street.close();
  });

  for (const roomVersion of ['2', '6', '12'] as const) {
    it(`goes on after a gap that is too long by the state after it, version ${roomVersion}`, async () => {
      const { street, res, loc, ruth, roomId } = await setUp(backend, { roomVersion });
      await say(res, roomId, ruth, 'not to be had at once');
      const topic = { roomId, sender: ruth, type: 'm.room.topic', stateKey: '' };
      const lost = await res.api.performSendEvent({ ...topic, content: { topic: 'in the gap' } });
      const said: EventId[] = [];
      for (let i = 0; i < 20; i++) said.push(await say(res, roomId, ruth, `${i}`));
      let given = 0;
      street.faults.answer = (method, _server, answer) => {
        if (method !== 'get_missing_events') return answer;
        given += 1;
        return { events: given === 1 ? (answer.events as JsonObject[]).slice(-19) : [] };
      };
      await res.push(loc, said.slice(-1));
      assert.deepEqual(new Set(await standings(loc, said)), new Set(['accepted']));
      assert.deepEqual(await standings(loc, [lost.eventId]), ['outlier']);
      const keys = [{ type: 'm.room.topic', stateKey: '' }];
      const [inForce] = await loc.api.queryStateEvents({ roomId, keys });
      assert.deepEqual(inForce?.json.content, { topic: 'in the gap' });
      // Timelines do not go on across it.
      const shown = (await loc.entries(roomId)).slice(-21);
      const [gap, first] = shown.map((entry) => [entry.kind, 'reason' in entry && entry.reason]);
      assert.deepEqual(
        [gap, first],
        [
          ['StateReplaced', 'gap'],
          ['NewRoomEvent', false],
        ],
      );
      // The rest of the gap is history.
      const { isNew } = await loc.api.performBackfill({ roomId, ...EVERYTHING, limit: 100 });
      assert.ok(isNew);
      assert.ok((await oldEvents(loc, roomId)).includes(lost.eventId));
      await street.close();
    });
  }

  it('takes the state before an event where the one before it cannot be had, in the end', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const said = [await say(res, roomId, ruth, 'lost'), await say(res, roomId, ruth, 'found')];
    street.faults.answer = (method, _server, answer) => {
      if (method === 'get_missing_events') return { events: [] };
      return method === 'event' ? { pdus: [] } : answer;
    };
    await res.push(loc, said.slice(-1));
    // Nothing of what comes before it was given: that may pass.
    assert.ok(!loc.asked.some((one) => one.startsWith('state_ids')), loc.asked.join());
    assert.deepEqual(await standings(loc, said), [undefined, undefined]);
    loc.clock.advance(1_000);
    await loc.context.staged.idle();
    assert.deepEqual(await standings(loc, said), [undefined, 'accepted']);
    assert.equal(loc.asked.filter((one) => one.startsWith('state_ids')).length, 2);
    await street.close();
  });

  it('leaves no hole where the state across it can be had as a whole alone, as long as more may come', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const topic = { roomId, sender: ruth, type: 'm.room.topic', stateKey: '' };
    const { eventId: lost } = await res.api.performSendEvent({ ...topic, content: { topic: 'x' } });
    const said = [lost, await say(res, roomId, ruth, 'found')];
    street.faults.answer = (method, _server, answer) => {
      if (method === 'get_missing_events') return { events: [] };
      return method === 'event' ? { pdus: [] } : answer;
    };
    await res.push(loc, said.slice(-1));
    loc.clock.advance(1_000);
    await loc.context.staged.idle();
    assert.ok(
      loc.asked.some((one) => one.startsWith('state_ids')),
      loc.asked.join(),
    );
    assert.deepEqual(await standings(loc, said), [undefined, undefined]);
    delete street.faults.answer;
    loc.clock.advance(10_000);
    await loc.context.staged.idle();
    assert.deepEqual(await standings(loc, said), ['accepted', 'accepted']);
    await street.close();
  });

  it('asks others where the server that sent the event does not answer', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const ext = await street.start(otherDatabase(), 'ext.test');
    const emil = user('emil', ext);
    const joining = { roomIdOrAlias: roomId, userId: emil, serverNames: [res.name], content: {} };
    await ext.api.performJoin(joining);
    const joined = await ext.api.queryMemberships({ roomId, userIds: [emil] });
    await res.push(loc, [joined[0]?.eventId as EventId]);
    const said = [await say(res, roomId, ruth, 'one'), await say(res, roomId, ruth, 'two')];
    await res.push(ext, said);
    street.faults.before = (_method, server) => {
      if (server === res.name) throw new Error('not there');
    };
    await res.push(loc, said.slice(-1));
    assert.deepEqual(await standings(loc, said), ['accepted', 'accepted']);
    // What the others do not know themselves, they may know what it refers to.
    const more: EventId[] = [];
    for (const body of ['three', 'four', 'five']) more.push(await say(res, roomId, ruth, body));
    await res.push(ext, more.slice(0, 2));
    await res.push(loc, more.slice(-1));
    assert.deepEqual(await standings(loc, more), ['accepted', 'accepted', 'accepted']);
    await street.close();
  });

  it('keeps what cannot be placed for a while, until its past has come', async () => {
    const { street, res, loc, ruth, roomId } = await setUp(backend);
    const said = [await say(res, roomId, ruth, 'one'), await say(res, roomId, ruth, 'two')];
    street.faults.before = () => {
      throw new Error('nobody is there');
    };
    await res.push(loc, said.slice(-1));
    assert.deepEqual(await standings(loc, said), [undefined, undefined]);
    // What waits already is not looked after a second time.
    const { length } = loc.asked;
    await res.push(loc, said.slice(-1));
    assert.equal(loc.asked.length, length);
    await res.push(loc, said);
    assert.deepEqual(await standings(loc, said), ['accepted', undefined]);
    loc.clock.advance(1_000);
    await loc.context.staged.idle();
    assert.deepEqual(await standings(loc, said), ['accepted', 'accepted']);
    await street.close();
  });

  for (const roomVersion of ['1', '3', '11', '12'] as const) {
    it(`brings the history of before the join, version ${roomVersion}`, async () => {
      const { street, res, loc, roomId, old } = await setUp(backend, { roomVersion, before: 30 });
      assert.deepEqual(await oldEvents(loc, roomId), []);
      let rounds = 0;
      const backfill = () => loc.api.performBackfill({ roomId, ...EVERYTHING, limit: 10 });
      while ((await backfill()).isNew) rounds++;
      assert.ok(rounds >= 2 && rounds < 6, String(rounds));
      const all = (await res.entries(roomId)).flatMap((entry) =>
        entry.kind === 'NewRoomEvent' ? [entry.event.eventId] : [],
      );
      const got = await oldEvents(loc, roomId);
      assert.deepEqual(new Set(got), new Set(all.slice(0, -1)));
      assert.equal(got.length, all.length - 1);
      assert.ok(old.every((id) => got.includes(id)));
      // To the beginning: nothing is missing any more, and nobody is asked.
      loc.asked.length = 0;
      await backfill();
      assert.deepEqual(loc.asked, []);
      // The states in history are those that were.
      for (const id of got) {
        const here = await loc.context.events.get(id);
        const there = await res.context.events.get(id);
        assert.equal(here?.stateBefore, there?.stateBefore);
      }
      await street.close();
    });
  }

  it('does not ask soon again for history that nobody has', async () => {
    const { street, loc, roomId } = await setUp(backend, { before: 3 });
    street.faults.answer = (method, _server, answer) =>
      method === 'backfill' ? { pdus: [] } : answer;
    const backfill = () => loc.api.performBackfill({ roomId, ...EVERYTHING, limit: 10 });
    assert.equal((await backfill()).isNew, false);
    const { length } = loc.asked;
    assert.ok(length > 0);
    assert.equal((await backfill()).isNew, false);
    assert.equal(loc.asked.length, length);
    loc.clock.advance(61_000);
    street.faults.answer = (_method, _server, answer) => answer;
    assert.ok((await backfill()).isNew);
    await street.close();
  });

  it('shares what is asked for the same room at the same time', async () => {
    const { street, loc, roomId } = await setUp(backend, { before: 3 });
    const backfill = () => loc.api.performBackfill({ roomId, ...EVERYTHING, limit: 10 });
    const [one, other] = await Promise.all([backfill(), backfill()]);
    assert.deepEqual(one, other);
    assert.equal(loc.asked.filter((asked) => asked.startsWith('backfill')).length, 1);
    await street.close();
  });
});
