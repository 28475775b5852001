// State in /sync: across gaps, without events, filtered, lazily loaded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import {
  ALICE,
  BOB,
  type Body,
  bodies,
  CAROL,
  type Harness,
  openHarness,
  types,
  viewer,
} from '../testing/harness.ts';

const DAVE = '@dave:localhost' as UserId;
const me = viewer(ALICE);

async function messages(harness: Harness, room: RoomId, sender: UserId, count: number) {
  for (let n = 0; n < count; n += 1) await harness.rooms.message(room, sender, `${n}`);
}

function topic(harness: Harness, room: RoomId, text: string) {
  const content = { topic: text };
  return harness.rooms.setState(room, ALICE, { type: 'm.room.topic', stateKey: '', content });
}

const topics = (section: Body, part: string) =>
  section[part].events
    .filter((event: Body) => event.type === 'm.room.topic')
    .map((event: Body) => event.content.topic);

const members = (section: Body) =>
  section.state.events
    .filter((event: Body) => event.type === 'm.room.member')
    .map((event: Body) => event.state_key)
    .sort();

forEachBackend('sync: state', (backend) => {
  test('a gap gives what changed in it, as it was at the start of the timeline', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await topic(harness, room, 'in the gap');
    await messages(harness, room, ALICE, 12);
    await topic(harness, room, 'in the timeline');
    const section = (await harness.sync(me, { since })).rooms.join[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(topics(section, 'state'), ['in the gap']);
    assert.deepEqual(topics(section, 'timeline'), ['in the timeline']);
    const after = await harness.sync(me, { since, stateSection: 'state_after' });
    assert.equal(after.rooms.join[room].state, undefined);
    assert.deepEqual(topics(after.rooms.join[room], 'state_after'), ['in the timeline']);
  });

  test('without a gap state_after has the state events of the timeline', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await topic(harness, room, 'one');
    await topic(harness, room, 'two');
    const section = (await harness.sync(me, { since, stateSection: 'state_after' })).rooms.join[
      room
    ];
    assert.deepEqual(topics(section, 'state_after'), ['two']);
    await harness.rooms.message(room, ALICE, 'no state');
    const { next_batch: next } = await harness.sync(me, { since });
    await harness.rooms.message(room, ALICE, 'no state');
    const empty = await harness.sync(me, { since: next, stateSection: 'state_after' });
    assert.deepEqual(empty.rooms.join[room].state_after, { events: [] });
    const stateSection = 'org.matrix.msc4222.state_after';
    const formerly = (await harness.sync(me, { since, stateSection })).rooms.join[room];
    assert.deepEqual(topics(formerly, stateSection), ['two']);
    assert.equal('state' in formerly || 'state_after' in formerly, false);
  });

  test('a state event that the timeline filter drops comes as state', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await topic(harness, room, 'dropped');
    await harness.rooms.message(room, ALICE, 'kept');
    const filter = { room: { timeline: { types: ['m.room.message'] } } };
    const section = (await harness.sync(me, { since, filter })).rooms.join[room];
    assert.deepEqual(types(section), ['m.room.message']);
    assert.deepEqual(topics(section, 'state'), ['dropped']);
  });

  test('state that changes without an event wakes and comes as state', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    const { answer } = await harness.waitingPoll(me, { since });
    const content = { topic: 'resolved' };
    const event = { sender: ALICE, type: 'm.room.topic', stateKey: '', content };
    await harness.rooms.replaceState(room, event);
    const woken = await answer;
    assert.deepEqual(types(woken.rooms.join[room]), []);
    assert.deepEqual(topics(woken.rooms.join[room], 'state'), ['resolved']);
    await harness.rooms.message(room, ALICE, 'goes on');
    const next = await harness.sync(me, { since: woken.next_batch });
    assert.deepEqual(types(next.rooms.join[room], 'state'), []);
    assert.deepEqual(bodies(next.rooms.join[room]), ['goes on']);
    const both = (await harness.sync(me, { since })).rooms.join[room];
    assert.deepEqual([topics(both, 'state'), bodies(both)], [['resolved'], ['goes on']]);
  });

  test('after a resync the timeline starts anew', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await harness.rooms.message(room, ALICE, 'before');
    const content = { topic: 'resynced' };
    const event = { sender: ALICE, type: 'm.room.topic', stateKey: '', content };
    await harness.rooms.replaceState(room, event, 'resync');
    await harness.rooms.message(room, ALICE, 'after');
    const section = (await harness.sync(me, { since })).rooms.join[room];
    assert.deepEqual(bodies(section), ['after']);
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(topics(section, 'state'), ['resynced']);
    const whole = (await harness.sync(me)).rooms.join[room];
    assert.deepEqual(bodies(whole), ['after']);
    assert.ok(types(whole, 'state').includes('m.room.create'));
  });

  test('an event of a side branch does not undo the current state', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const { current: fork } = harness.rooms.room(room);
    await topic(harness, room, 'current');
    const { next_batch: since } = await harness.sync(me);
    const event = { type: 'm.room.message', content: { body: 'from the fork' } };
    await harness.rooms.send(room, { sender: ALICE, stateBefore: fork, ...event });
    const section = (await harness.sync(me, { since })).rooms.join[room];
    assert.deepEqual(bodies(section), ['from the fork']);
    assert.deepEqual(topics(section, 'state'), []);
  });

  test('full_state gives all state, and the timeline since', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const quiet = await harness.rooms.createRoom(ALICE);
    const { next_batch: since } = await harness.sync(me);
    await harness.rooms.message(room, ALICE, 'since');
    const { rooms } = await harness.sync(me, { since, fullState: true });
    assert.deepEqual(bodies(rooms.join[room]), ['since']);
    assert.equal(rooms.join[room].timeline.limited, false);
    assert.equal(types(rooms.join[room], 'state').length, 5);
    assert.equal(types(rooms.join[quiet], 'state').length, 5);
    assert.deepEqual(types(rooms.join[quiet]), []);
  });
});

forEachBackend('sync: lazily loaded members', (backend) => {
  const filter = { room: { state: { lazy_load_members: true } } };

  async function party() {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE, { name: 'a party' });
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, CAROL, 'join');
    await messages(harness, room, BOB, 10);
    return { harness, room };
  }

  test('initially the senders and oneself; then each new sender, once', async () => {
    const { harness, room } = await party();
    const first = await harness.sync(me, { filter });
    assert.deepEqual(members(first.rooms.join[room]), [ALICE, BOB]);
    await messages(harness, room, CAROL, 1);
    const second = await harness.sync(me, { filter, since: first.next_batch });
    assert.deepEqual(types(second.rooms.join[room], 'state'), ['m.room.member']);
    assert.deepEqual(members(second.rooms.join[room]), [CAROL]);
    await messages(harness, room, CAROL, 1);
    await messages(harness, room, BOB, 1);
    const third = await harness.sync(me, { filter, since: second.next_batch });
    assert.deepEqual(members(third.rooms.join[room]), []);
  });

  test('a response that was lost is not counted on', async () => {
    const { harness, room } = await party();
    const { next_batch: since } = await harness.sync(me, { filter });
    await messages(harness, room, CAROL, 1);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const again = await harness.sync(me, { filter, since });
      assert.deepEqual(members(again.rooms.join[room]), [CAROL]);
    }
  });

  test('redundant members are sent again if asked for', async () => {
    const { harness, room } = await party();
    const state = { lazy_load_members: true, include_redundant_members: true };
    const { next_batch: since } = await harness.sync(me, { filter: { room: { state } } });
    await messages(harness, room, BOB, 1);
    const section = (await harness.sync(me, { filter: { room: { state } }, since })).rooms.join[
      room
    ];
    assert.deepEqual(members(section), [BOB]);
  });

  test('members who come and go in a gap are sent, and old ones who speak', async () => {
    const { harness, room } = await party();
    const first = await harness.sync(me, { filter });
    await harness.rooms.member(room, DAVE, 'join');
    await messages(harness, room, CAROL, 10);
    const second = await harness.sync(me, { filter, since: first.next_batch });
    assert.deepEqual(members(second.rooms.join[room]), [CAROL, DAVE]);
    await harness.rooms.member(room, DAVE, 'leave');
    await messages(harness, room, CAROL, 10);
    const third = await harness.sync(me, { filter, since: second.next_batch });
    assert.deepEqual(members(third.rooms.join[room]), [DAVE]);
  });

  test('who joins in the timeline needs no other member event', async () => {
    const { harness, room } = await party();
    const first = await harness.sync(me, { filter });
    await harness.rooms.member(room, DAVE, 'join');
    await messages(harness, room, DAVE, 1);
    const second = await harness.sync(me, { filter, since: first.next_batch });
    assert.deepEqual(members(second.rooms.join[room]), []);
    await messages(harness, room, DAVE, 1);
    const third = await harness.sync(me, { filter, since: second.next_batch });
    assert.deepEqual(members(third.rooms.join[room]), []);
  });

  test('a room without a name has heroes, with their member events', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    for (const user of [BOB, CAROL]) await harness.rooms.member(room, user, 'join');
    await messages(harness, room, ALICE, 12);
    const section = (await harness.sync(me, { filter })).rooms.join[room];
    assert.deepEqual(section.summary, {
      'm.joined_member_count': 3,
      'm.invited_member_count': 0,
      'm.heroes': [BOB, CAROL],
    });
    assert.deepEqual(members(section), [ALICE, BOB, CAROL]);
  });

  test('when all others have left, they are the heroes', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    const { next_batch: since } = await harness.sync(me);
    await harness.rooms.member(room, BOB, 'leave');
    const section = (await harness.sync(me, { since })).rooms.join[room];
    assert.deepEqual(section.summary['m.heroes'], [BOB]);
    assert.equal(section.summary['m.joined_member_count'], 1);
  });
});
