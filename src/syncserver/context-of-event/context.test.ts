// What happened around an event, for those who may see it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import {
  ALICE,
  BOB,
  type Body,
  CAROL,
  type Harness,
  openHarness,
  viewer,
} from '../testing/harness.ts';

interface Question {
  readonly room: RoomId;
  readonly event: EventId;
  readonly user?: typeof ALICE;
  readonly limit?: number;
  readonly filter?: JsonObject;
}

async function ask(
  harness: Harness,
  { room, event, user = ALICE, ...rest }: Question,
): Promise<Body> {
  await harness.settled();
  const place = { viewer: viewer(user), roomId: room, eventId: event };
  return harness.api.context({ ...place, limit: 10, filter: {}, ...rest });
}

const bodiesOf = (events: Body[]): string[] => events.map((event) => event.content.body);
const typesOf = (events: Body[]): string[] => events.map((event) => event.type);
const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

forEachBackend('context', (backend) => {
  async function roomOfLines(
    count = 9,
  ): Promise<{ harness: Harness; room: RoomId; lines: EventId[] }> {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const lines: EventId[] = [];
    for (let n = 0; n < count; n += 1) lines.push(await harness.rooms.message(room, ALICE, `${n}`));
    return { harness, room, lines };
  }

  test('the limit is shared out before and after, nearest first', async () => {
    const { harness, room, lines } = await roomOfLines();
    const event = lines[4] as EventId;
    const answer = await ask(harness, { room, event, limit: 4 });
    assert.equal(answer.event.event_id, event);
    assert.equal(answer.event.room_id, room);
    assert.deepEqual(bodiesOf(answer.events_before), ['3', '2']);
    assert.deepEqual(bodiesOf(answer.events_after), ['5', '6']);
    const odd = await ask(harness, { room, event, limit: 1 });
    assert.deepEqual([odd.events_before.length, odd.events_after.length], [0, 1]);
    const none = await ask(harness, { room, event, limit: 0 });
    assert.deepEqual([none.events_before, none.events_after], [[], []]);
    assert.equal(none.event.event_id, event);
  });

  for (const limit of [0, 4, 50]) {
    test(`/messages goes on at start and end, limit=${limit}`, async () => {
      const { harness, room, lines } = await roomOfLines();
      const answer = await ask(harness, { room, event: lines[4] as EventId, limit });
      const go = async (from: string, dir: 'b' | 'f'): Promise<Body[]> => {
        const place = { viewer: viewer(ALICE), roomId: room };
        const page: Body = await harness.api.messages({
          ...place,
          from,
          dir,
          limit: 100,
          filter: {},
        });
        return page.chunk;
      };
      const all = [
        ...(await go(answer.start, 'b')).toReversed(),
        ...answer.events_before.toReversed(),
        answer.event,
        ...answer.events_after,
        ...(await go(answer.end, 'f')),
      ];
      assert.equal(all[0].type, 'm.room.create');
      assert.deepEqual(
        all.slice(-9).map((event) => event.event_id),
        lines,
      );
      assert.equal(new Set(all.map((event) => event.event_id)).size, all.length);
    });
  }

  test('state is that at the last event', async () => {
    const { harness, room, lines } = await roomOfLines(2);
    const name = (value: string) =>
      harness.rooms.setState(room, ALICE, {
        type: 'm.room.name',
        stateKey: '',
        content: { name: value },
      });
    const named = await name('in between');
    await name('later');
    const nameIn = (state: Body[]) =>
      state.find((event) => event.type === 'm.room.name')?.content.name;
    const before = await ask(harness, { room, event: lines[0] as EventId, limit: 2 });
    assert.equal(nameIn(before.state), undefined);
    const itself = await ask(harness, { room, event: named, limit: 0 });
    assert.equal(nameIn(itself.state), 'in between');
    assert.equal(typesOf(itself.state).filter((type) => type === 'm.room.name').length, 1);
    const whole = await ask(harness, { room, event: lines[0] as EventId, limit: 50 });
    assert.equal(nameIn(whole.state), 'later');
    assert.ok(typesOf(whole.state).includes('m.room.create'));
  });

  test('lazy-loading leaves the members who sent none of it out of state', async () => {
    const { harness, room, lines } = await roomOfLines(2);
    await harness.rooms.member(room, BOB, 'join');
    await harness.rooms.member(room, CAROL, 'join');
    const event = await harness.rooms.message(room, BOB, 'from bob');
    const lazy = { lazy_load_members: true, types: ['m.room.message', 'm.room.member'] };
    const answer = await ask(harness, { room, event, filter: lazy, limit: 0 });
    assert.deepEqual(
      answer.state.map((each: Body) => each.state_key),
      [BOB],
    );
    const whole = await ask(harness, { room, event: lines[1] as EventId, limit: 50 });
    const members = whole.state.filter((each: Body) => each.type === 'm.room.member');
    assert.equal(members.length, 3);
  });

  test('the filter is for what is around the event, not for the event', async () => {
    const { harness, room } = await roomOfLines(1);
    const event = await harness.rooms.send(room, {
      sender: ALICE,
      type: 'org.example',
      content: {},
    });
    await harness.rooms.message(room, ALICE, 'after');
    const filter = { types: ['m.room.message'] };
    const answer = await ask(harness, { room, event, filter });
    assert.equal(answer.event.type, 'org.example');
    assert.deepEqual(bodiesOf(answer.events_before), ['0']);
    assert.deepEqual(bodiesOf(answer.events_after), ['after']);
    assert.deepEqual(answer.state, []);
  });

  test('outsiders are refused; what a member may not see is not found', async () => {
    const { harness, room, lines } = await roomOfLines(1);
    const event = lines[0] as EventId;
    await assert.rejects(ask(harness, { room, event, user: BOB }), refusal('M_FORBIDDEN'));
    await assert.rejects(ask(harness, { room, event: '$none' as EventId }), refusal('M_NOT_FOUND'));
    await harness.rooms.setVisibility(room, 'joined');
    const hidden = await harness.rooms.message(room, ALICE, 'hidden');
    await harness.rooms.member(room, BOB, 'join');
    const seen = await harness.rooms.message(room, ALICE, 'seen');
    await assert.rejects(ask(harness, { room, event: hidden, user: BOB }), refusal('M_NOT_FOUND'));
    const answer = await ask(harness, { room, event: seen, user: BOB, limit: 20 });
    assert.equal(bodiesOf(answer.events_before).includes('hidden'), false);
    assert.ok(bodiesOf(answer.events_before).includes('0'));
    const other = await harness.rooms.createRoom(BOB);
    await assert.rejects(ask(harness, { room: other, event, user: BOB }), refusal('M_NOT_FOUND'));
  });

  test('who has left sees nothing of what came afterwards', async () => {
    const { harness, room } = await roomOfLines(1);
    await harness.rooms.member(room, BOB, 'join');
    const event = await harness.rooms.message(room, ALICE, 'there');
    const name = { type: 'm.room.name', stateKey: '' };
    await harness.rooms.setState(room, ALICE, { ...name, content: { name: 'before' } });
    await harness.rooms.member(room, BOB, 'leave');
    await harness.rooms.setState(room, ALICE, { ...name, content: { name: 'after' } });
    const later = await harness.rooms.message(room, ALICE, 'later');
    const answer = await ask(harness, { room, event, user: BOB, limit: 50 });
    assert.equal(answer.events_after.at(-1).content.membership, 'leave');
    const names = answer.state.filter((each: Body) => each.type === 'm.room.name');
    assert.deepEqual(
      names.map((each: Body) => each.content.name),
      ['before'],
    );
    await assert.rejects(ask(harness, { room, event: later, user: BOB }), refusal('M_NOT_FOUND'));
  });

  test('those outside see what is world-readable, and no state but the current one', async () => {
    const { harness, room, lines } = await roomOfLines(1);
    const name = { type: 'm.room.name', stateKey: '' };
    await harness.rooms.setState(room, ALICE, { ...name, content: { name: 'secret' } });
    await harness.rooms.setVisibility(room, 'world_readable');
    const event = await harness.rooms.message(room, ALICE, 'open');
    await harness.rooms.setState(room, ALICE, { ...name, content: { name: 'public' } });
    const answer = await ask(harness, { room, event, user: BOB, limit: 50 });
    assert.deepEqual(typesOf(answer.events_before), ['m.room.history_visibility']);
    assert.deepEqual(typesOf(answer.events_after), ['m.room.name']);
    const names = answer.state.filter((each: Body) => each.type === 'm.room.name');
    assert.deepEqual(
      names.map((each: Body) => each.content.name),
      ['public'],
    );
    const closed = { room, event: lines[0] as EventId, user: BOB };
    await assert.rejects(ask(harness, closed), refusal('M_NOT_FOUND'));
    await harness.rooms.setVisibility(room, 'shared');
    await assert.rejects(ask(harness, { room, event, user: BOB }), refusal('M_FORBIDDEN'));
  });
});
