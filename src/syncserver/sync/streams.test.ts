// What goes with rooms and beside them: receipts, typing, account data, messages to devices, presence.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { sql } from '../../database/sql.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import {
  ALICE,
  BOB,
  type Body,
  CAROL,
  type Harness,
  openHarness,
  viewer,
} from '../testing/harness.ts';

const me = viewer(ALICE);

const ephemeral = (body: Body, room: RoomId): Body[] =>
  body.rooms?.join?.[room]?.ephemeral.events ?? [];

function typing(harness: Harness, room: RoomId, userId: UserId, isTyping = true) {
  const entry = { userId, typing: isTyping, timeoutMs: 30_000 };
  harness.eventLog.publishEphemeral('edu.typing', room, entry);
}

forEachBackend('sync: receipts', (backend) => {
  test('a receipt wakes, moves forward only, and comes in an initial sync', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const first = await harness.rooms.message(room, ALICE, 'first');
    const second = await harness.rooms.message(room, ALICE, 'second');
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    await harness.receipt(room, BOB, { eventId: second });
    const woken = await answer;
    const content = { [second]: { 'm.read': { [BOB]: { ts: harness.clock.now() } } } };
    assert.deepEqual(ephemeral(woken, room), [{ type: 'm.receipt', content }]);
    await harness.receipt(room, BOB, { eventId: first });
    assert.equal((await harness.sync(me, { since: woken.next_batch })).rooms, undefined);
    assert.deepEqual(ephemeral(await harness.sync(me), room), [{ type: 'm.receipt', content }]);
    await harness.start();
    assert.deepEqual(ephemeral(await harness.sync(me, { since }), room).length, 1);
  });

  test('private receipts are for their own user only', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const eventId = await harness.rooms.message(room, ALICE, 'read me');
    const { next_batch: since } = await harness.sync(me);
    const { next_batch: bob } = await harness.sync(viewer(BOB));
    await harness.receipt(room, BOB, { eventId, type: 'm.read.private' });
    assert.equal((await harness.sync(me, { since })).rooms, undefined);
    const [own] = ephemeral(await harness.sync(viewer(BOB), { since: bob }), room);
    assert.ok(own.content[eventId]['m.read.private'][BOB]);
    assert.deepEqual(ephemeral(await harness.sync(me), room), []);
  });

  test('receipts of threads come beside those of all', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const eventId = await harness.rooms.message(room, ALICE, 'root');
    await harness.receipt(room, BOB, { eventId });
    await harness.receipt(room, BOB, { eventId, threadId: 'main' });
    const events = ephemeral(await harness.sync(me), room);
    const threads = events.map(({ content }) => content[eventId]['m.read'][BOB].thread_id);
    assert.deepEqual(threads.sort(), ['main', undefined]);
  });

  test('a receipt takes the place of the one before, from memory as after a restart', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const first = await harness.rooms.message(room, ALICE, 'first');
    const second = await harness.rooms.message(room, ALICE, 'second');
    const { next_batch: since } = await harness.sync(me);
    await harness.receipt(room, BOB, { eventId: first });
    await harness.receipt(room, CAROL, { eventId: first });
    await harness.receipt(room, BOB, { eventId: second });
    const ts = harness.clock.now();
    const content = {
      [first]: { 'm.read': { [CAROL]: { ts } } },
      [second]: { 'm.read': { [BOB]: { ts } } },
    };
    for (const from of [{ since }, {}]) {
      const expected = [{ type: 'm.receipt', content }];
      assert.deepEqual(ephemeral(await harness.sync(me, from), room), expected);
    }
    await harness.start();
    const [again] = ephemeral(await harness.sync(me, { since }), room);
    assert.deepEqual(again.content, content);
  });

  test('many receipts that arrive at once leave the furthest', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await harness.rooms.message(room, ALICE, `${n}`));
    const order = [ids[1], ids[4], ids[0], ids[3]].filter((id) => id !== undefined);
    await Promise.all(order.map((eventId) => harness.receipt(room, BOB, { eventId })));
    await harness.eventLog
      .head('edu.receipt')
      .then((receipts) => harness.api.waitForPositions({ receipts }));
    const [receipt] = ephemeral(await harness.sync(me), room);
    assert.deepEqual(Object.keys(receipt.content), [ids[4]]);
  });
});

forEachBackend('sync: typing', (backend) => {
  test('who types shows, and who stops', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    typing(harness, room, BOB);
    const woken = await answer;
    assert.deepEqual(ephemeral(woken, room), [{ type: 'm.typing', content: { user_ids: [BOB] } }]);
    assert.equal((await harness.sync(me, { since: woken.next_batch })).rooms, undefined);
    typing(harness, room, BOB);
    assert.equal((await harness.sync(me, { since: woken.next_batch })).rooms, undefined);
    assert.deepEqual(ephemeral(await harness.sync(me), room).length, 1);
    harness.clock.advance(30_000);
    const stopped = await harness.sync(me, { since: woken.next_batch });
    assert.deepEqual(ephemeral(stopped, room), [{ type: 'm.typing', content: { user_ids: [] } }]);
    assert.deepEqual(ephemeral(await harness.sync(me), room), ephemeral(stopped, room));
  });

  test('who leaves types no more', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    typing(harness, room, BOB);
    typing(harness, room, ALICE);
    const { next_batch: since } = await harness.sync(me);
    await harness.rooms.member(room, BOB, 'leave');
    const body = await harness.sync(me, { since });
    assert.deepEqual(ephemeral(body, room), [{ type: 'm.typing', content: { user_ids: [ALICE] } }]);
  });

  test('after a restart a device is told again, and of those who stop', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    for (let n = 0; n < 5; n += 1) typing(harness, room, BOB, n % 2 === 0);
    const { next_batch: since } = await harness.sync(me);
    harness.clock.advance(1);
    await harness.start();
    assert.equal((await harness.sync(me, { since })).rooms, undefined);
    typing(harness, room, BOB, false);
    const [stopped] = ephemeral(await harness.sync(me, { since }), room);
    assert.deepEqual(stopped.content.user_ids, []);
    typing(harness, room, CAROL);
    const [started] = ephemeral(await harness.sync(me, { since }), room);
    assert.deepEqual(started.content.user_ids, [CAROL]);
  });

  test('the filter of ephemeral events', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const eventId = await harness.rooms.message(room, ALICE, 'x');
    await harness.receipt(room, BOB, { eventId });
    typing(harness, room, BOB);
    for (const type of ['m.typing', 'm.receipt']) {
      const filter = { room: { ephemeral: { types: [type] } } };
      const events = ephemeral(await harness.sync(me, { filter }), room);
      assert.deepEqual(
        events.map((event) => event.type),
        [type],
      );
    }
    const none = { room: { ephemeral: { types: [] } } };
    assert.deepEqual(ephemeral(await harness.sync(me, { filter: none }), room), []);
  });
});

forEachBackend('sync: account data', (backend) => {
  test('global and room data come when they change, and all at first', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    await harness.users.setAccountData({ userId: ALICE, type: 'm.direct' }, { a: 1 });
    const woken = await answer;
    assert.deepEqual(woken.account_data.events, [{ type: 'm.direct', content: { a: 1 } }]);
    assert.equal(woken.rooms, undefined);
    const tag = { userId: ALICE, roomId: room, type: 'm.tag' };
    await harness.users.setAccountData(tag, { tags: {} });
    const next = await harness.sync(me, { since: woken.next_batch });
    assert.equal(next.account_data, undefined);
    const events = [{ type: 'm.tag', content: { tags: {} } }];
    assert.deepEqual(next.rooms.join[room].account_data.events, events);
    const whole = await harness.sync(me);
    assert.deepEqual(whole.account_data.events, woken.account_data.events);
    assert.deepEqual(whole.rooms.join[room].account_data.events, events);
    assert.equal((await harness.sync(viewer(BOB))).account_data, undefined);
  });

  test('messages of ignored users are not shown, their state is', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(me);
    await harness.users.ignore(ALICE, BOB);
    const ignoring = await harness.sync(me, { since });
    await harness.rooms.message(room, BOB, 'unheard');
    assert.equal((await harness.sync(me, { since: ignoring.next_batch })).rooms, undefined);
    await harness.rooms.member(room, BOB, 'leave');
    const next = await harness.sync(me, { since: ignoring.next_batch });
    const found = next.rooms.join[room].timeline.events.map((event: Body) => event.type);
    assert.deepEqual(found, ['m.room.member']);
  });

  test('filters: no rooms, no account data', async () => {
    const harness = await openHarness(backend);
    await harness.rooms.createRoom(ALICE);
    await harness.users.setAccountData({ userId: ALICE, type: 'm.direct' }, {});
    const filter = { room: { rooms: [] }, account_data: { types: [] }, presence: { types: [] } };
    const body = await harness.sync(me, { filter });
    assert.deepEqual(
      [body.rooms, body.account_data, body.presence],
      [undefined, undefined, undefined],
    );
  });
});

forEachBackend('sync: messages to devices', (backend) => {
  async function withDevices() {
    const harness = await openHarness(backend);
    harness.users.devices.set(BOB, ['ONE', 'TWO'] as DeviceId[]);
    const stored = () => harness.database.all(sql`SELECT position FROM syncapi_to_device`);
    return { harness, stored, one: viewer(BOB, 'ONE'), two: viewer(BOB, 'TWO') };
  }
  const texts = (body: Body) =>
    (body.to_device?.events ?? []).map((event: Body) => event.content.body);

  test('a message is sent until the device comes back with a later token', async () => {
    const { harness, stored, one, two } = await withDevices();
    const { next_batch: since } = await harness.sync(one);
    const { answer } = await harness.waitingPoll(one, { since });
    await harness.toDevice(BOB, 'ONE' as DeviceId, 'hello');
    const woken = await answer;
    assert.deepEqual(woken.to_device.events, [
      { sender: ALICE, type: 'm.test', content: { body: 'hello' } },
    ]);
    assert.deepEqual(texts(await harness.sync(one, { since })), ['hello']);
    assert.deepEqual(texts(await harness.sync(one)), ['hello']);
    assert.deepEqual(texts(await harness.sync(two)), []);
    assert.deepEqual(texts(await harness.sync(one, { since: woken.next_batch })), []);
    await until(async () => (await stored()).length === 0);
  });

  test('a message to all devices reaches each, and none that does not exist', async () => {
    const { harness, stored, one, two } = await withDevices();
    await harness.toDevice(BOB, '*', 'all');
    await harness.toDevice(BOB, 'NONE' as DeviceId, 'nobody');
    await harness.toDevice(CAROL, '*', 'nobody');
    for (const device of [one, two]) assert.deepEqual(texts(await harness.sync(device)), ['all']);
    assert.equal((await stored()).length, 2);
  });

  test('many messages come in order, in several responses', async () => {
    const { harness, one } = await withDevices();
    for (let n = 0; n < 120; n += 1) await harness.toDevice(BOB, 'ONE' as DeviceId, `${n}`);
    const first = await harness.sync(one);
    assert.equal(texts(first).length, 100);
    const rest = await harness.poll(one, { since: first.next_batch });
    const expected = Array.from({ length: 120 }, (_, n) => `${n}`);
    assert.deepEqual([...texts(first), ...texts(rest)], expected);
  });

  test('large messages come in several responses', async () => {
    const { harness, one } = await withDevices();
    const texted = (n: number) => `${n} ${'x'.repeat(600_000)}`;
    for (let n = 0; n < 5; n += 1) await harness.toDevice(BOB, 'ONE' as DeviceId, texted(n));
    const found: string[] = [];
    let body = await harness.sync(one);
    while (texts(body).length > 0) {
      assert.ok(JSON.stringify(body).length < 1_500_000);
      found.push(...texts(body));
      body = await harness.sync(one, { since: body.next_batch });
    }
    assert.deepEqual(found, [0, 1, 2, 3, 4].map(texted));
  });

  test('with its device, what waits for it is deleted', async () => {
    const { harness, stored } = await withDevices();
    await harness.toDevice(BOB, '*', 'all');
    await harness.settled();
    await harness.users.deleteDevice(BOB, 'ONE' as DeviceId);
    await harness.settled();
    assert.equal((await stored()).length, 1);
  });
});

forEachBackend('sync: presence', (backend) => {
  function presence(harness: Harness, userId: UserId, state: 'online' | 'offline' = 'online') {
    const lastActiveTs = harness.clock.now();
    harness.eventLog.publishEphemeral('edu.presence', userId, { presence: state, lastActiveTs });
  }
  const senders = (body: Body) => (body.presence?.events ?? []).map((event: Body) => event.sender);

  test('of users of other servers who share a room wakes who waits, and of others nothing is kept', async () => {
    const harness = await openHarness(backend);
    const [dora, emil] = ['@dora:b.example', '@emil:b.example'] as UserId[] as [UserId, UserId];
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, dora, 'join');
    await harness.settled();
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    presence(harness, emil);
    presence(harness, dora);
    assert.deepEqual(senders(await answer), [dora]);
    assert.equal(await harness.api.queryPresence({ userId: emil }), undefined);
    // Her server was faster than the room.
    await harness.rooms.member(room, emil, 'join');
    await harness.settled();
    harness.clock.advance(500);
    const known = async () => (await harness.api.queryPresence({ userId: emil })) !== undefined;
    await until(known, 'presence');
    // And by far.
    const fee = '@fee:b.example' as UserId;
    presence(harness, fee);
    harness.clock.advance(500);
    await harness.rooms.member(room, fee, 'join');
    await harness.settled();
    const knowsFee = async () => {
      harness.clock.advance(500);
      return (await harness.api.queryPresence({ userId: fee })) !== undefined;
    };
    await until(knowsFee, 'presence of fee');
  });

  test('those who share a room see each other, nobody else does', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(me);
    const { next_batch: carol } = await harness.sync(viewer(CAROL));
    const { answer } = await harness.waitingPoll(me, { since });
    presence(harness, BOB);
    const woken = await answer;
    assert.deepEqual(senders(woken), [BOB]);
    assert.equal(woken.presence.events[0].content.presence, 'online');
    assert.deepEqual(senders(await harness.sync(me, { since: woken.next_batch })), []);
    assert.deepEqual(senders(await harness.sync(me)), [BOB]);
    assert.deepEqual(senders(await harness.sync(viewer(CAROL), { since: carol })), []);
    assert.deepEqual(senders(await harness.sync(viewer(CAROL))), []);
    const shares = (userId: UserId, otherUserId: UserId) =>
      harness.api.querySharesRoom({ userId, otherUserId });
    assert.deepEqual(await shares(ALICE, BOB), { shares: true });
    assert.deepEqual(await shares(ALICE, CAROL), { shares: false });
    assert.equal((await harness.api.queryPresence({ userId: BOB }))?.presence, 'online');
    assert.equal(await harness.api.queryPresence({ userId: CAROL }), undefined);
  });

  test('one who newly shares a room is told of, once', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    presence(harness, CAROL);
    const { next_batch: since } = await harness.sync(me);
    const { next_batch: bob } = await harness.sync(viewer(BOB));
    await harness.rooms.member(room, CAROL, 'join');
    const met = await harness.sync(me, { since });
    assert.deepEqual(senders(met), [CAROL]);
    assert.deepEqual(senders(await harness.sync(me, { since: met.next_batch })), []);
    await harness.rooms.member(room, BOB, 'join');
    assert.deepEqual(senders(await harness.sync(viewer(BOB), { since: bob })).sort(), [
      ALICE,
      CAROL,
    ]);
  });

  test('a filter that wants no presence does not wait for it', async () => {
    const harness = await openHarness(backend);
    const { next_batch: since } = await harness.sync(me);
    const filter = { presence: { not_types: ['m.presence'] } };
    const { answer } = await harness.waitingPoll(me, { since, filter });
    presence(harness, ALICE);
    harness.clock.advance(30_000);
    assert.equal((await answer).presence, undefined);
  });
});
