// Looking into rooms of other servers (MSC2444), between real servers: what a looker sees, and when it ends. Numbers are
// those of the acceptance tests.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import { loginAgain, type TestClient } from '../client.ts';
import { until } from '../until.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import {
  type Body,
  bodiesIn,
  peek,
  peekOk,
  roomPath,
  section,
  WORLD_READABLE,
  watch,
} from './peeking-scene.ts';

/** Looks of other servers that a server holds. */
async function inboundPeeks(network: Network<ComposedServer>, index: number): Promise<number> {
  const { database } = network.server(index).keyhole;
  const found = await database.get<{ count: number }>(
    sql`SELECT count(*) AS count FROM federationsender_inbound_peeks`,
  );
  return found?.count ?? 0;
}

for (const roomVersion of ['11', '12']) {
  describe(`a room of version ${roomVersion} on another server`, () => {
    let network: Network<ComposedServer>;
    let alice: TestClient;
    let bob: TestClient;
    let roomId: string;
    let since: string;
    const there = () => network.server(0).name;

    before(async () => {
      network = await startNetwork({ servers: 2, roomVersion });
      alice = await network.server(0).user('alice');
      bob = await network.server(1).user('bob');
      roomId = await alice.createRoom({ ...WORLD_READABLE, name: 'Square', room_alias_name: 'sq' });
      for (const text of ['long ago', 'earlier', 'before']) await alice.send(roomId, text);
    });
    after(() => network.close());

    test('23. nobody has joined it, and yet state, history and what is said live are seen', async () => {
      const peeked = await peek(bob, roomId, [there()]);
      assert.equal(peeked.status, 200, JSON.stringify(peeked.body));
      assert.equal(peeked.body.room_id, roomId);
      const first = await bob.sync();
      const shown = first.rooms?.peek?.[roomId];
      assert.ok(shown, JSON.stringify(first.rooms));
      const state: Body[] = [...shown.state.events, ...shown.timeline.events];
      const named = state.find(({ type }) => type === 'm.room.name');
      assert.equal(named?.content.name, 'Square');
      assert.ok(state.some(({ state_key: key }) => key === alice.userId));
      assert.deepEqual(bodiesIn(shown), ['before']);
      await alice.send(roomId, 'live one');
      await alice.send(roomId, 'live two');
      const watched = await watch(bob, roomId, first.next_batch, 'live two');
      assert.deepEqual(watched.seen, ['live one', 'live two']);
      since = watched.since;
      const page = await bob.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=50`);
      const history = page.chunk.map((event: Body) => event.content.body).filter(Boolean);
      assert.deepEqual(history, ['live two', 'live one', 'before', 'earlier', 'long ago']);
      // What came before it was not for everybody.
      assert.equal(page.chunk.at(-1).type, 'm.room.history_visibility');
    });

    test('4. the alias of another server leads there', async () => {
      const carol = await network.server(1).user('carol');
      const { status, body } = await peek(carol, `#sq:${there()}`, []);
      assert.deepEqual([status, body.room_id], [200, roomId]);
      const { rooms } = await carol.sync();
      assert.deepEqual(Object.keys(rooms.peek), [roomId]);
    });

    test('36. many who look share one subscription', async () => {
      const dan = await network.server(1).user('dan');
      await peekOk(dan, roomId, there());
      assert.equal(await inboundPeeks(network, 0), 1);
      await dan.ok('POST', `${roomPath(roomId)}/unpeek`);
      assert.equal(await inboundPeeks(network, 0), 1);
    });

    test('state changes and redactions arrive as for members', async () => {
      const eventId = await alice.send(roomId, 'regretted');
      await alice.setState(roomId, 'm.room.topic', '', { topic: 'What is new' });
      const path = `${roomPath(roomId)}/redact/${encodeURIComponent(eventId)}/r1`;
      await alice.ok('PUT', path, { reason: 'slip' });
      await alice.send(roomId, 'after it');
      ({ since } = await watch(bob, roomId, since, 'after it'));
      const topic = await bob.ok('GET', `${roomPath(roomId)}/state/m.room.topic/`);
      assert.equal(topic.topic, 'What is new');
      const event = await bob.ok('GET', `${roomPath(roomId)}/event/${encodeURIComponent(eventId)}`);
      assert.deepEqual(event.content, {});
    });

    test('the room cannot be written into, and is no room of the looker', async () => {
      const sent = await bob.call('PUT', `${roomPath(roomId)}/send/m.room.message/x`, {
        body: 'x',
      });
      assert.equal(sent.status, 403, JSON.stringify(sent.body));
      assert.deepEqual((await bob.ok('GET', '/v3/joined_rooms')).joined_rooms, []);
    });

    test('15. the event that closes the room is seen, then it ends on both servers', async () => {
      const visibility = { history_visibility: 'shared' };
      await alice.setState(roomId, 'm.room.history_visibility', '', visibility);
      await alice.send(roomId, 'secret');
      const { found, since: next } = await section(bob, since, ['leave', roomId]);
      const last: Body = found.timeline.events.at(-1);
      assert.equal(last.type, 'm.room.history_visibility');
      await until(async () => (await inboundPeeks(network, 0)) === 0, 'no subscription is left');
      const page = await bob.call('GET', `${roomPath(roomId)}/messages?dir=b`);
      assert.equal(page.status, 403, JSON.stringify(page.body));
      const later = await bob.sync({ since: next });
      assert.equal(later.rooms?.peek?.[roomId], undefined);
      assert.equal((await peek(bob, roomId, [there()])).status, 403);
    });
  });
}

describe('looking into rooms of other servers', () => {
  let network: Network<ComposedServer>;
  let alice: TestClient;
  let bob: TestClient;
  const there = () => network.server(0).name;

  before(async () => {
    network = await startNetwork({ servers: 3, roomVersion: '11' });
    alice = await network.server(0).user('alice');
    bob = await network.server(1).user('bob');
  });
  after(() => network.close());

  test('12. a room that nobody has is not found', async () => {
    const { status, body } = await peek(bob, `!none:${there()}`, [there()]);
    assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND']);
  });

  test('28. rooms that are private, encrypted or closed to the server show nothing', async () => {
    const closed = await alice.createRoom({ preset: 'public_chat' });
    const encryption = {
      type: 'm.room.encryption',
      content: { algorithm: 'm.megolm.v1.aes-sha2' },
    };
    const encrypted = await alice.createRoom({
      ...WORLD_READABLE,
      initial_state: [...WORLD_READABLE.initial_state, encryption],
    });
    // Names are compared without the port.
    const acl = { allow: ['*'], deny: ['localhost'] };
    const denied = await alice.createRoom({
      ...WORLD_READABLE,
      initial_state: [...WORLD_READABLE.initial_state, { type: 'm.room.server_acl', content: acl }],
    });
    const alone = await alice.createRoom({
      ...WORLD_READABLE,
      creation_content: { 'm.federate': false },
    });
    for (const [name, roomId] of Object.entries({ closed, encrypted, denied, alone })) {
      const { status, body } = await peek(bob, roomId, [there()]);
      assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'], name);
    }
    assert.equal(await inboundPeeks(network, 0), 0);
  });

  test('34. a server that does not answer is passed over', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    await peekOk(bob, roomId, 'localhost:1', there());
    assert.ok((await bob.sync()).rooms.peek[roomId]);
  });

  test('24. what members of other servers say arrives too, once', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const eve = await network.server(2).user('eve');
    await eve.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?server_name=${there()}`, {});
    await peekOk(bob, roomId, there());
    const { next_batch: since } = await bob.sync();
    await eve.send(roomId, 'from afar');
    await until(async () => {
      const page = await alice.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=1`);
      return page.chunk[0].content.body === 'from afar';
    }, 'the message on the server through which is looked');
    await alice.send(roomId, 'from there');
    const { seen } = await watch(bob, roomId, since, 'from there');
    assert.deepEqual(seen, ['from afar', 'from there']);
  });

  test('13. who looks and joins has the room in join, and the subscription ends', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const fay = await network.server(1).user('fay');
    const other = await loginAgain(fay);
    await peekOk(fay, roomId, there());
    const { next_batch: since } = await fay.sync();
    const { next_batch: elsewhere } = await other.sync();
    const before = await inboundPeeks(network, 0);
    await fay.ok('POST', `/v3/join/${encodeURIComponent(roomId)}`, {});
    const { rooms } = await fay.sync({ since });
    assert.ok(rooms.join[roomId], JSON.stringify(rooms));
    assert.equal(rooms.peek?.[roomId], undefined);
    assert.deepEqual(rooms.join[roomId].state.events, []);
    const { timeline } = rooms.join[roomId];
    assert.deepEqual([timeline.limited, timeline.events.length], [false, 1]);
    const onOther = (await other.sync({ since: elsewhere })).rooms.join[roomId];
    const types = [...onOther.state.events, ...onOther.timeline.events].map(({ type }) => type);
    assert.ok(types.includes('m.room.create'));
    await until(async () => (await inboundPeeks(network, 0)) < before, 'the subscription ends');
    // The state was here already: nobody was asked for a template, or for the state again.
    const { exchanges } = network.link(1, 0);
    const handshakes = exchanges.filter(({ path }) => /(make|send)_join/.test(path));
    assert.deepEqual(
      handshakes.filter(({ path }) => path.includes(encodeURIComponent(roomId))),
      [],
    );
    await fay.send(roomId, 'now a member');
    await until(async () => {
      const page = await alice.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=1`);
      return page.chunk[0].content.body === 'now a member';
    }, 'what the new member says');
    await alice.send(roomId, 'welcome');
    await until(async () => {
      const page = await fay.ok('GET', `${roomPath(roomId)}/messages?dir=b&limit=1`);
      return page.chunk[0].content.body === 'welcome';
    }, 'what is said to the new member');
  });

  test('14. who looks, joins and leaves does not look again; who looks on does', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const gil = await network.server(1).user('gil');
    await peekOk(gil, roomId, there());
    await peekOk(bob, roomId, there());
    const { next_batch: since } = await gil.sync();
    const watching = (await bob.sync()).next_batch;
    await gil.ok('POST', `/v3/join/${encodeURIComponent(roomId)}`, {});
    await gil.ok('POST', `${roomPath(roomId)}/leave`, {});
    const { found } = await section(gil, since, ['leave', roomId]);
    assert.ok(found);
    await alice.send(roomId, 'after she left');
    const { seen } = await watch(bob, roomId, watching, 'after she left');
    assert.deepEqual(seen, ['after she left']);
    const { rooms } = await gil.sync();
    assert.equal(rooms?.peek?.[roomId], undefined);
  });

  test('who looks and is refused as she has joined by herself is helped in', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const hal = await network.server(1).user('hal');
    await peekOk(hal, roomId, there());
    await hal.sync();
    // The event gets lost on its way.
    network.link(1, 0).next('/_matrix/federation/v1/send/', 'error');
    await hal.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?server_name=${there()}`, {});
    const { exchanges } = network.link(1, 0);
    assert.ok(exchanges.some(({ path }) => path.includes('make_join')));
    await until(async () => {
      const { joined } = await alice.ok('GET', `${roomPath(roomId)}/joined_members`);
      return joined[hal.userId] !== undefined;
    }, 'the new member');
  });

  test('29. and 30. a repeated PUT is answered whole; renew and DELETE know what there is', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const { federationsender } = network.server(1).keyhole.components;
    const roomVersions = ['11', '12'] as const;
    const request = { roomId: roomId as never, servers: [there() as never], roomVersions };
    const first = await federationsender.api.performOutboundPeek(request);
    assert.ok((first.answer.events as Body[]).length >= 6);
    assert.equal(first.answer.renewal_interval, 3_600_000);
    assert.equal(first.answer.state, undefined);
    const others = await inboundPeeks(network, 0);
    await federationsender.api.performCancelOutboundPeek({ ...request, ...first });
    await until(async () => (await inboundPeeks(network, 0)) === others - 1, 'its end');
  });

  test('27. a server that does not know the version of the room is told so', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const { federationsender } = network.server(1).keyhole.components;
    const request = { roomId: roomId as never, servers: [there() as never] };
    await assert.rejects(
      federationsender.api.performOutboundPeek({ ...request, roomVersions: ['1'] }),
      { errcode: 'M_INCOMPATIBLE_ROOM_VERSION' },
    );
  });

  test('38. looks survive restarts of either side', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    await peekOk(bob, roomId, there());
    const { next_batch: first } = await bob.sync();
    await network.server(0).stop();
    await network.server(0).start();
    await alice.send(roomId, 'after the first');
    const watched = await watch(bob, roomId, first, 'after the first');
    await network.server(1).stop();
    await alice.send(roomId, 'while it was away');
    await network.server(1).start();
    const { seen } = await watch(bob, roomId, watched.since, 'while it was away');
    assert.deepEqual(seen, ['while it was away']);
  });
});
