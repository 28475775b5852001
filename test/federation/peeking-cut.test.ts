// Where a snapshot ends and the stream begins: whatever is committed and relayed when, and whatever becomes of the request,
// the looker's timeline is the resident's from the cut on. The interleavings are made, not awaited.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import type { TestClient } from '../client.ts';
import { until } from '../until.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { HostileServer } from './hostile-server.ts';
import type { Exchange, Held } from './link.ts';
import { historyOf, Looker } from './looker.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { peek, roomPath, WORLD_READABLE } from './peeking-scene.ts';

const SEND = '/_matrix/federation/v1/send/';

/** Where two events lie with regard to the first cut: before it, in one batch with it, or after it. */
const COMMITTED = ['before', 'justBefore', 'justAfter', 'after'] as const;
/** When they arrive, if they are relayed: before the answer to PUT, before what it says is stored, or later. */
const RELAYED = ['beforeAnswer', 'beforeStore', 'afterStore'] as const;
/** What becomes of PUT: answered; the answer lost, so that the looker asks again; arrived twice, the second time later. */
const PUT = ['answered', 'lost', 'twice'] as const;

interface Case {
  readonly committed: (typeof COMMITTED)[number];
  readonly relayed: (typeof RELAYED)[number];
  readonly put: (typeof PUT)[number];
  readonly extremities: 1 | 2;
}

const RESIDENT = 0;
const LOOKING = 1;

describe('the cut', () => {
  let network: Network<ComposedServer>;
  let alice: TestClient;
  let bob: TestClient;
  let other: HostileServer;

  before(async () => {
    network = await startNetwork({ servers: 2, roomVersion: '11' });
    alice = await network.server(RESIDENT).user('alice');
    bob = await network.server(LOOKING).user('bob');
    other = await HostileServer.start();
    // Keys are exchanged, so that nothing but what the test is about has to be stored.
    const roomId = await alice.createRoom(WORLD_READABLE);
    const looker = await Looker.at(network, bob, [roomId, network.server(RESIDENT).name]);
    await alice.send(roomId, 'warm');
    await looker.sees('warm');
  });
  after(async () => {
    await other.close();
    await network.close();
  });

  const there = () => network.server(RESIDENT);
  const toThere = () => network.link(LOOKING, RESIDENT);
  const toHere = () => network.link(RESIDENT, LOOKING);

  /** A room whose resident has so many extremities. */
  async function roomWith(extremities: 1 | 2): Promise<string> {
    const roomId = await alice.createRoom(WORLD_READABLE);
    await alice.send(roomId, 'long before');
    if (extremities === 2) await fork(roomId);
    return roomId;
  }

  async function fork(roomId: string): Promise<void> {
    const room: ForeignRoom = await other.join(there().name, roomId, other.user('eve'));
    const prevEvents = room.heads;
    await alice.send(roomId, 'one branch');
    const content = { msgtype: 'm.text', body: 'another branch' };
    const event = { type: 'm.room.message', sender: other.user('eve'), content, prevEvents };
    const { eventId } = room.add(event);
    const { status } = await other.send(there().name, [room.events.get(eventId) as never]);
    assert.equal(status, 200);
    await until(async () => (await extremitiesOf(roomId)).length === 2, 'two extremities');
  }

  async function extremitiesOf(roomId: string): Promise<readonly string[]> {
    const { api } = there().keyhole.components.roomserver;
    const room = await api.queryRoom({ roomId: roomId as never });
    return room?.forwardExtremities ?? [];
  }

  async function speak(roomId: string): Promise<void> {
    await alice.send(roomId, 'first');
    await alice.send(roomId, 'second');
  }

  const putsOf = (roomId: string): Exchange[] =>
    toThere().exchanges.filter(
      ({ method, path }) => method === 'PUT' && path.includes(encodeURIComponent(roomId)),
    );

  /** Both in what the room's lock gives next, in this order; the PUT is on its way already, and is let go. */
  async function inOneBatch(
    roomId: string,
    request: Held,
    committed: 'justBefore' | 'justAfter',
  ): Promise<void> {
    const { api } = there().keyhole.components.roomserver;
    await request.arrived;
    const commits = there().holdCommits();
    const device = { userId: alice.userId as never, deviceId: 'NONE' as never };
    const blocker = api.performUnpeek({ roomId: roomId as never, ...device, via: 'sync' });
    await commits.arrived;
    const say = (body: string) =>
      api.performSendEvent({
        roomId: roomId as never,
        sender: alice.userId as never,
        type: 'm.room.message',
        content: { msgtype: 'm.text', body },
      });
    const said: Promise<unknown>[] = [];
    const speakNow = () => said.push(say('first'), say('second'));
    if (committed === 'justBefore') {
      speakNow();
      await turns();
    }
    const asked = performed(api, 'performInboundPeek');
    request.release();
    await asked;
    await turns();
    if (committed === 'justAfter') speakNow();
    await turns();
    commits.release();
    await blocker;
    await Promise.all(said);
    await checkOrder(roomId, committed);
  }

  /** Of the log: the entry of the look and what was said. */
  async function checkOrder(roomId: string, committed: 'justBefore' | 'justAfter') {
    const kinds = async () => {
      const rows = await there().keyhole.database.all<{ entry: string }>(
        sql`SELECT entry FROM eventlog_entries
          WHERE topic = 'roomserver.output' AND key = ${roomId} ORDER BY id`,
      );
      const entries = rows.map(({ entry }) => JSON.parse(entry).kind as string);
      const of = (kind: string) => entries.indexOf(kind);
      return { look: of('NewInboundPeek'), blocker: of('RetirePeek'), entries };
    };
    await until(async () => (await kinds()).look >= 0, 'the look in the log');
    const { look, blocker, entries } = await kinds();
    const events = committed === 'justBefore' ? entries.slice(blocker, look) : entries.slice(look);
    assert.equal(events.filter((kind) => kind === 'NewRoomEvent').length, 2, entries.join());
  }

  async function run({ committed, relayed, put, extremities }: Case): Promise<void> {
    const roomId = await roomWith(extremities);
    const path = `/peek/${encodeURIComponent(roomId)}`;
    const relays = toHere().hold(SEND);
    const request = toThere().hold(path);
    const answers = toThere().holdAnswers(path);
    if (put === 'lost') toThere().next(path, 'dropAnswer');
    if (put === 'twice') toThere().next(path, 'twice');
    const isRelayed = committed === 'justAfter' || committed === 'after';
    const arrived = () =>
      until(
        () =>
          toHere().exchanges.some(({ body }) => body.includes(roomId) && body.includes('second')),
        'what is relayed',
      );

    if (committed === 'before') await speak(roomId);
    const peeking = peek(bob, roomId, [there().name]);
    if (committed === 'justBefore' || committed === 'justAfter') {
      await inOneBatch(roomId, request, committed);
    } else {
      request.release();
    }
    await answers.arrived;
    if (committed === 'after') await speak(roomId);
    if (isRelayed && relayed === 'beforeAnswer') {
      relays.release();
      await arrived();
    }
    let commits: Held | undefined;
    if (isRelayed && relayed === 'beforeStore') commits = network.server(LOOKING).holdCommits();
    answers.release();
    if (commits !== undefined) {
      await commits.arrived;
      relays.release();
      await arrived();
      commits.release();
    }
    let { status } = await peeking;
    if (put === 'lost') {
      assert.equal(status, 502);
      ({ status } = await peek(bob, roomId, [there().name]));
    }
    assert.equal(status, 200);
    relays.release();
    await alice.send(roomId, 'live');
    await check(roomId);
  }

  /** The last answer that has arrived is the one that counts. */
  async function check(roomId: string): Promise<void> {
    const looker = await Looker.at(network, bob, [roomId]);
    await looker.sees('live');
    const answer = JSON.parse(
      putsOf(roomId).findLast(({ status }) => status === 200)?.answer ?? '',
    );
    const extremities = Object.keys(answer.latest_event_state_ids);
    const truth = await historyOf(alice, roomId);
    const cut = Math.max(...extremities.map((id) => truth.indexOf(id)));
    const expected = [
      ...truth.slice(0, cut).filter((id) => extremities.includes(id)),
      ...truth.slice(cut),
    ];
    const name = new Map(truth.map((id, index) => [id, `${index}`]));
    const named = (ids: readonly string[]) => ids.map((id) => name.get(id) ?? id);
    const shown = looker.events.map(({ event_id: id }) => id);
    assert.deepEqual(named(shown), named(expected));
    const page = await bob.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=100`);
    const ids = page.chunk.map(({ event_id: id }: { event_id: string }) => id);
    assert.equal(new Set(ids).size, ids.length, 'history shows nothing twice');
    await bob.ok('POST', `${roomPath(roomId)}/unpeek`);
  }

  for (const extremities of [1, 2] as const) {
    for (const put of PUT) {
      for (const committed of COMMITTED) {
        for (const relayed of RELAYED) {
          const isRelayed = committed === 'justAfter' || committed === 'after';
          if (!isRelayed && relayed !== 'afterStore') continue;
          const what = [committed, ...(isRelayed ? [relayed] : []), put, `${extremities}`];
          test(`25. ${what.join(', ')}`, () => run({ committed, relayed, put, extremities }));
        }
      }
    }
  }
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

/** Resolves when the method of the api has been called the next time. */
function performed<Api extends object>(api: Api, method: keyof Api): Promise<void> {
  const original = api[method] as (...request: unknown[]) => unknown;
  return new Promise((resolve) => {
    api[method] = ((...request: unknown[]) => {
      api[method] = original as Api[keyof Api];
      resolve();
      return original(...request);
    }) as Api[keyof Api];
  });
}
