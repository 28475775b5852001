// Which rooms stand in which section of /sync, and what each is told: invites, leaving, coming back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import {
  ALICE,
  BOB,
  type Body,
  bodies,
  CAROL,
  openHarness,
  types,
  viewer,
} from '../testing/harness.ts';

const LEFT_TOO = { room: { include_leave: true } };

forEachBackend('sections: invites', (backend) => {
  test('an invite shows stripped state, once, and again in an initial sync', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { name: 'a party' });
    const { next_batch: since } = await harness.sync(viewer(BOB));
    const { answer } = await harness.waitingPoll(viewer(BOB), { since });
    await harness.rooms.member(room, BOB, 'invite');
    const woken = await answer;
    const { events } = woken.rooms.invite[room].invite_state;
    for (const event of events) {
      assert.deepEqual(Object.keys(event).sort(), ['content', 'sender', 'state_key', 'type']);
    }
    const found = events.map((event: Body) => event.type).sort();
    assert.deepEqual(found, ['m.room.create', 'm.room.join_rules', 'm.room.member', 'm.room.name']);
    const own = events.find((event: Body) => event.type === 'm.room.member');
    assert.deepEqual([own.sender, own.state_key], [ALICE, BOB]);
    assert.equal((await harness.sync(viewer(BOB), { since: woken.next_batch })).rooms, undefined);
    assert.ok((await harness.sync(viewer(BOB))).rooms.invite[room]);
  });

  test('an invite to a room elsewhere shows what came with it; retired, it leaves', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(viewer(BOB));
    const event = {
      eventId: '$invite' as EventId,
      roomVersion: '11' as const,
      json: {
        type: 'm.room.member',
        sender: '@far:away',
        state_key: BOB,
        content: { membership: 'invite' },
        depth: 1,
        origin_server_ts: 1,
      },
    };
    const strippedState = [
      { type: 'm.room.name', state_key: '', sender: '@far:away', content: {} },
    ];
    await harness.rooms.append(room, {
      kind: 'NewInvite',
      userId: BOB,
      membership: 'invite',
      event,
      strippedState,
    });
    const invited = await harness.sync(viewer(BOB), { since });
    assert.deepEqual(
      invited.rooms.invite[room].invite_state.events.map((each: Body) => each.type),
      ['m.room.name', 'm.room.member'],
    );
    await harness.rooms.append(room, {
      kind: 'RetireInvite',
      userId: BOB,
      eventId: '$rejected' as EventId,
      membership: 'leave',
      event: {
        ...event,
        eventId: '$rejected' as EventId,
        json: { ...event.json, sender: BOB, content: { membership: 'leave' } },
      },
    });
    const rejected = await harness.sync(viewer(BOB), { since: invited.next_batch });
    assert.deepEqual(Object.keys(rejected.rooms), ['leave']);
    const [left] = rejected.rooms.leave[room].timeline.events;
    assert.deepEqual(
      [left.event_id, left.sender, left.state_key, left.content.membership],
      ['$rejected', BOB, BOB, 'leave'],
    );
    const without = { room: { timeline: { not_types: ['m.room.member'] } } };
    const filtered = await harness.sync(viewer(BOB), {
      since: invited.next_batch,
      filter: without,
    });
    assert.deepEqual(filtered.rooms.leave[room].timeline.events, []);
    assert.deepEqual((await harness.sync(viewer(BOB))).rooms, undefined);
  });

  test('a rejected invite leaves with the rejection, and nothing of the room', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'joined' });
    await harness.rooms.member(room, BOB, 'invite');
    const { next_batch: since } = await harness.sync(viewer(BOB));
    await harness.rooms.message(room, ALICE, 'not for bob');
    await harness.rooms.member(room, BOB, 'leave');
    const { rooms } = await harness.sync(viewer(BOB), { since, filter: LEFT_TOO });
    assert.deepEqual(Object.keys(rooms), ['leave']);
    assert.deepEqual(types(rooms.leave[room]), ['m.room.member']);
    assert.deepEqual(types(rooms.leave[room], 'state'), []);
    assert.equal((await harness.sync(viewer(BOB), { filter: LEFT_TOO })).rooms, undefined);
  });

  test('an invite by somebody who is ignored is not shown', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(viewer(BOB));
    await harness.users.ignore(BOB, ALICE);
    await harness.rooms.member(room, BOB, 'invite');
    assert.equal((await harness.sync(viewer(BOB), { since })).rooms, undefined);
    assert.equal((await harness.sync(viewer(BOB))).rooms, undefined);
  });

  test('a knock shows in knock', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'knock');
    const { rooms } = await harness.sync(viewer(BOB));
    assert.deepEqual(Object.keys(rooms), ['knock']);
    assert.ok(rooms.knock[room].knock_state.events.length > 0);
  });
});

forEachBackend('sections: leaving', (backend) => {
  test('who leaves is told what happened until then, and nothing after', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(viewer(BOB));
    await harness.rooms.message(room, ALICE, 'before');
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'after');
    await harness.rooms.setState(room, ALICE, { type: 'm.room.topic', stateKey: '', content: {} });
    const left = await harness.sync(viewer(BOB), { since });
    assert.deepEqual(types(left.rooms.leave[room]), ['m.room.message', 'm.room.member']);
    assert.deepEqual(types(left.rooms.leave[room], 'state'), []);
    const later = { since: left.next_batch, filter: LEFT_TOO };
    assert.equal((await harness.sync(viewer(BOB), later)).rooms, undefined);
    assert.equal((await harness.sync(viewer(BOB))).rooms, undefined);
    const archive = (await harness.sync(viewer(BOB), { filter: LEFT_TOO })).rooms.leave[room];
    assert.deepEqual(bodies(archive), ['before']);
    assert.ok(![...types(archive), ...types(archive, 'state')].includes('m.room.topic'));
    const full = { since: left.next_batch, filter: LEFT_TOO, fullState: true };
    const again = (await harness.sync(viewer(BOB), full)).rooms.leave[room];
    assert.ok([...types(again, 'state'), ...types(again)].includes('m.room.create'));
  });

  test('who was banned sees the ban, even where only members see events', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'joined' });
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(viewer(BOB));
    const { answer } = await harness.waitingPoll(viewer(BOB), { since });
    await harness.rooms.member(room, BOB, 'ban');
    const section = (await answer).rooms.leave[room];
    assert.equal(section.timeline.events[0].content.membership, 'ban');
    assert.equal(section.timeline.events[0].unsigned.prev_content.membership, 'join');
  });

  test('joined and left between two syncs: the whole state, up to the leaving', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    for (let n = 0; n < 10; n += 1) await harness.rooms.message(room, ALICE, `${n}`);
    const { next_batch: since } = await harness.sync(viewer(BOB));
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, BOB, 'leave');
    const section = (await harness.sync(viewer(BOB), { since })).rooms.leave[room];
    assert.ok(types(section, 'state').includes('m.room.create'));
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(types(section).slice(-2), ['m.room.member', 'm.room.member']);
  });

  test('left and joined again between two syncs: the room is new', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { visibility: 'joined' });
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(viewer(BOB));
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.message(room, ALICE, 'while away');
    await harness.rooms.member(room, CAROL, 'join');
    await harness.rooms.member(room, BOB, 'join');
    const section = (await harness.sync(viewer(BOB), { since })).rooms.join[room];
    assert.deepEqual(bodies(section), []);
    assert.ok([...types(section, 'state'), ...types(section)].includes('m.room.create'));
    const carol = section.timeline.events.find((event: Body) => event.state_key === CAROL);
    assert.equal(carol.content.membership, 'join', 'current state shows, though it was not seen');
  });

  test('a forgotten room is gone from the archive, and comes back with a new join', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.forget(room, BOB);
    assert.equal((await harness.sync(viewer(BOB), { filter: LEFT_TOO })).rooms, undefined);
    const place = { viewer: viewer(BOB), roomId: room };
    assert.equal(await harness.api.queryAccess(place), 'none');
    await harness.start();
    assert.equal(await harness.api.queryAccess(place), 'none');
    await harness.rooms.member(room, BOB, 'join');
    assert.ok((await harness.sync(viewer(BOB))).rooms.join[room]);
  });

  test('a profile change is no new join', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(viewer(ALICE));
    const content = { membership: 'join', displayname: 'boris' };
    const event = { sender: ALICE, type: 'm.room.member', stateKey: ALICE, content };
    await harness.rooms.send(room, event);
    const section = (await harness.sync(viewer(ALICE), { since })).rooms.join[room];
    assert.deepEqual(types(section), ['m.room.member']);
    assert.deepEqual(types(section, 'state'), []);
    assert.equal(section.timeline.limited, false);
  });
});
