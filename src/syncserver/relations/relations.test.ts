// The relations of an event: pages, recursion, visibility; and their sums in `m.relations`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
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

interface Child {
  readonly room: RoomId;
  readonly parent: EventId;
  readonly sender?: UserId;
  readonly relType?: string;
  readonly type?: string;
  readonly content?: JsonObject;
}

function relate(harness: Harness, child: Child): Promise<EventId> {
  const { room, parent, sender = ALICE, relType = 'org.example.kind' } = child;
  return harness.rooms.send(room, {
    sender,
    type: child.type ?? 'm.room.message',
    content: { ...child.content, 'm.relates_to': { rel_type: relType, event_id: parent } },
  });
}

interface Question {
  readonly room: RoomId;
  readonly parent: EventId;
  readonly user?: UserId;
  readonly relType?: string;
  readonly eventType?: string;
  readonly from?: string;
  readonly to?: string;
  readonly dir?: 'b' | 'f';
  readonly limit?: number;
  readonly recurse?: boolean;
}

async function ask(harness: Harness, question: Question): Promise<Body> {
  await harness.settled();
  const { room: roomId, parent: eventId, user = ALICE, ...rest } = question;
  return harness.api.relations({
    viewer: viewer(user),
    roomId,
    eventId,
    dir: 'b',
    limit: 50,
    recurse: false,
    ...rest,
  });
}

async function one(
  harness: Harness,
  roomId: RoomId,
  eventId: EventId,
  user = ALICE,
): Promise<Body> {
  await harness.settled();
  return harness.api.event({ viewer: viewer(user), roomId, eventId });
}

const ids = (answer: Body): string[] => answer.chunk.map((event: Body) => event.event_id);
const refusal = (errcode: string) => ({ name: 'MatrixError', errcode });

forEachBackend('relations', (backend) => {
  async function roomWithParent(): Promise<{ harness: Harness; room: RoomId; parent: EventId }> {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    return { harness, room, parent: await harness.rooms.message(room, ALICE, 'parent') };
  }

  test('children come newest first, of all kinds or of one, and of one type', async () => {
    const { harness, room, parent } = await roomWithParent();
    const first = await relate(harness, { room, parent });
    const other = await relate(harness, {
      room,
      parent,
      relType: 'm.annotation',
      type: 'm.reaction',
    });
    const typed = await relate(harness, { room, parent, type: 'org.example.type' });
    await harness.rooms.message(room, ALICE, 'unrelated');
    assert.deepEqual(ids(await ask(harness, { room, parent })), [typed, other, first]);
    assert.deepEqual(ids(await ask(harness, { room, parent, dir: 'f' })), [first, other, typed]);
    const relType = 'org.example.kind';
    assert.deepEqual(ids(await ask(harness, { room, parent, relType })), [typed, first]);
    const narrow = { room, parent, relType, eventType: 'org.example.type' };
    assert.deepEqual(ids(await ask(harness, narrow)), [typed]);
    const answer = await ask(harness, { room, parent });
    assert.equal(answer.chunk[0].room_id, room);
    assert.equal('next_batch' in answer || 'prev_batch' in answer, false);
    assert.equal('recursion_depth' in answer, false);
  });

  for (const dir of ['b', 'f'] as const) {
    test(`pages meet without gap or overlap, dir=${dir}`, async () => {
      const { harness, room, parent } = await roomWithParent();
      const all: string[] = [];
      for (let n = 0; n < 7; n += 1) {
        all.push(await relate(harness, { room, parent }));
        await harness.rooms.message(room, ALICE, 'in between');
      }
      const found: string[] = [];
      let from: string | undefined;
      const sizes: number[] = [];
      do {
        const answer: Body = await ask(harness, {
          room,
          parent,
          dir,
          limit: 3,
          ...(from && { from }),
        });
        assert.equal(answer.prev_batch, from);
        found.push(...ids(answer));
        sizes.push(answer.chunk.length);
        from = answer.next_batch;
      } while (from !== undefined);
      assert.deepEqual(found, dir === 'f' ? all : all.toReversed());
      assert.deepEqual(sizes, [3, 3, 1]);
    });
  }

  test('no next page is promised when the last one is just full', async () => {
    const { harness, room, parent } = await roomWithParent();
    for (let n = 0; n < 4; n += 1) await relate(harness, { room, parent });
    const { next_batch: from } = await ask(harness, { room, parent, limit: 2 });
    const last = await ask(harness, { room, parent, limit: 2, from });
    assert.equal(last.chunk.length, 2);
    assert.equal(last.next_batch, undefined);
  });

  test('tokens of /sync and /messages bound the pages; foreign ones are refused', async () => {
    const { harness, room, parent } = await roomWithParent();
    const before = await relate(harness, { room, parent });
    const { next_batch: token } = await harness.sync(viewer(ALICE));
    const after = await relate(harness, { room, parent });
    assert.deepEqual(ids(await ask(harness, { room, parent, from: token })), [before]);
    assert.deepEqual(ids(await ask(harness, { room, parent, to: token })), [after]);
    assert.deepEqual(ids(await ask(harness, { room, parent, from: token, dir: 'f' })), [after]);
    for (const bounds of [{ from: 'nonsense' }, { to: 's1_1' }]) {
      await assert.rejects(ask(harness, { room, parent, ...bounds }), refusal('M_INVALID_PARAM'));
    }
  });

  test('recursion goes three relations deep, through matching events only', async () => {
    const { harness, room, parent } = await roomWithParent();
    const chain: EventId[] = [];
    for (let n = 0; n < 4; n += 1) {
      chain.push(await relate(harness, { room, parent: chain.at(-1) ?? parent }));
    }
    const odd = await relate(harness, { room, parent, relType: 'org.example.other' });
    const behindOdd = await relate(harness, { room, parent: odd });
    const deep = await ask(harness, { room, parent, recurse: true, dir: 'f' });
    assert.deepEqual(ids(deep), [...chain.slice(0, 3), odd, behindOdd]);
    assert.equal(deep.recursion_depth, 3);
    const matching = await ask(harness, {
      room,
      parent,
      recurse: true,
      dir: 'f',
      relType: 'org.example.kind',
    });
    assert.deepEqual(ids(matching), chain.slice(0, 3));
    assert.deepEqual(ids(await ask(harness, { room, parent, dir: 'f' })), [chain[0], odd]);
  });

  test('events that relate to each other or to themselves end the recursion', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    // Ids of the fake count up: the next two events point at each other.
    const base = Number((await harness.rooms.message(room, ALICE, 'x')).slice('$event'.length));
    const [one, two] = [`$event${base + 1}`, `$event${base + 2}`] as [EventId, EventId];
    assert.equal(await relate(harness, { room, parent: two }), one);
    assert.equal(await relate(harness, { room, parent: one }), two);
    assert.deepEqual(ids(await ask(harness, { room, parent: one, recurse: true })), [two]);
  });

  test('what one may not see is not there: the room, the parent, the children', async () => {
    const { harness, room, parent } = await roomWithParent();
    const elsewhere = await harness.rooms.createRoom(BOB);
    await relate(harness, { room, parent });
    const notFound = refusal('M_NOT_FOUND');
    await assert.rejects(ask(harness, { room, parent, user: BOB }), notFound);
    await assert.rejects(ask(harness, { room: elsewhere, parent, user: BOB }), notFound);
    await assert.rejects(ask(harness, { room, parent: '$none' as EventId }), notFound);
    await harness.rooms.setVisibility(room, 'joined');
    const hidden = await relate(harness, { room, parent });
    await harness.rooms.member(room, BOB, 'join');
    const seen = await relate(harness, { room, parent });
    assert.equal(ids(await ask(harness, { room, parent, user: BOB })).includes(hidden), false);
    assert.equal(ids(await ask(harness, { room, parent, user: BOB }))[0], seen);
    await assert.rejects(ask(harness, { room, parent: hidden, user: BOB }), notFound);
  });

  test('hidden children do not shorten a page', async () => {
    const { harness, room, parent } = await roomWithParent();
    const shared = [
      await relate(harness, { room, parent }),
      await relate(harness, { room, parent }),
    ];
    await harness.rooms.setVisibility(room, 'joined');
    for (let n = 0; n < 5; n += 1) await relate(harness, { room, parent });
    await harness.rooms.member(room, BOB, 'join');
    const last = await relate(harness, { room, parent });
    const answer = await ask(harness, { room, parent, user: BOB, limit: 2 });
    assert.deepEqual(ids(answer), [last, shared[1]]);
    const next = await ask(harness, { room, parent, user: BOB, limit: 2, from: answer.next_batch });
    assert.deepEqual(ids(next), [shared[0]]);
    assert.equal(next.next_batch, undefined);
  });

  test('those who look in from outside see the children of the open time', async () => {
    const { harness, room, parent: closed } = await roomWithParent();
    await harness.rooms.setVisibility(room, 'world_readable');
    const parent = await harness.rooms.message(room, ALICE, 'open');
    const open = await relate(harness, { room, parent });
    await harness.rooms.setVisibility(room, 'shared');
    await relate(harness, { room, parent });
    await harness.rooms.setVisibility(room, 'world_readable');
    assert.deepEqual(ids(await ask(harness, { room, parent, user: BOB })), [open]);
    await assert.rejects(ask(harness, { room, parent: closed, user: BOB }), refusal('M_NOT_FOUND'));
  });

  test('where hardly anything is visible it is looked for in a few reads', async () => {
    const { harness, room, parent } = await roomWithParent();
    await harness.rooms.member(room, BOB, 'join');
    const first = await relate(harness, { room, parent });
    for (let n = 0; n < 120; n += 1) await relate(harness, { room, parent, sender: BOB });
    await harness.users.ignore(ALICE, BOB);
    await ask(harness, { room, parent });
    const reads = harness.countReads();
    const answer = await ask(harness, { room, parent, limit: 1 });
    assert.deepEqual(ids(answer), [first]);
    assert.ok(reads() < 20, `${reads()} reads`);
  });

  test('ignored users and redacted events relate to nothing', async () => {
    const { harness, room, parent } = await roomWithParent();
    await harness.rooms.member(room, BOB, 'join');
    await relate(harness, { room, parent, sender: BOB });
    const redacted = await relate(harness, { room, parent });
    const kept = await relate(harness, { room, parent });
    await harness.users.ignore(ALICE, BOB);
    await harness.rooms.redact(room, redacted);
    assert.deepEqual(ids(await ask(harness, { room, parent })), [kept]);
  });

  test('what is redacted before it was consumed relates to nothing', async () => {
    const { harness, room, parent } = await roomWithParent();
    const kept = await harness.rooms.together(async () => {
      await harness.rooms.redact(room, await relate(harness, { room, parent }));
      return relate(harness, { room, parent });
    });
    assert.deepEqual(ids(await ask(harness, { room, parent })), [kept]);
  });
});

forEachBackend('sums of relations', (backend) => {
  async function roomOfTwo(): Promise<{ harness: Harness; room: RoomId; parent: EventId }> {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    return { harness, room, parent: await harness.rooms.message(room, ALICE, 'parent') };
  }
  const sums = async (
    harness: Harness,
    room: RoomId,
    event: EventId,
    user = ALICE,
  ): Promise<Body> => (await one(harness, room, event, user)).unsigned['m.relations'];
  const edit = (body: string) => ({ body: `* ${body}`, 'm.new_content': { body } });

  test('a thread: how many, the last of them, and whether the viewer took part', async () => {
    const { harness, room, parent } = await roomOfTwo();
    await harness.rooms.member(room, CAROL, 'join');
    assert.equal(await sums(harness, room, parent), undefined);
    const thread = { room, parent, relType: 'm.thread' };
    await relate(harness, { ...thread, sender: BOB });
    const last = await relate(harness, { ...thread, sender: BOB, content: { body: 'last' } });
    await relate(harness, {
      room,
      parent: last,
      sender: BOB,
      relType: 'm.replace',
      content: edit('edited'),
    });
    const { 'm.thread': sum, ...others } = await sums(harness, room, parent);
    assert.deepEqual(others, {});
    assert.equal(sum.count, 2);
    assert.equal(sum.current_user_participated, true);
    assert.equal(sum.latest_event.event_id, last);
    assert.equal(sum.latest_event.room_id, room);
    const edited = sum.latest_event.unsigned['m.relations']['m.replace'];
    assert.equal(edited.content['m.new_content'].body, 'edited');
    assert.equal(
      (await sums(harness, room, parent, CAROL))['m.thread'].current_user_participated,
      false,
    );
    assert.equal(
      (await sums(harness, room, parent, BOB))['m.thread'].current_user_participated,
      true,
    );
  });

  test('a thread without ignored users, and none where all of it is theirs', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const thread = { room, parent, relType: 'm.thread' };
    const own = await relate(harness, thread);
    await relate(harness, { ...thread, sender: BOB });
    const alone = await harness.rooms.message(room, ALICE, 'other');
    await relate(harness, { room, parent: alone, relType: 'm.thread', sender: BOB });
    await harness.users.ignore(ALICE, BOB);
    const { 'm.thread': sum } = await sums(harness, room, parent);
    assert.deepEqual([sum.count, sum.latest_event.event_id], [1, own]);
    assert.equal(await sums(harness, room, alone), undefined);
  });

  test('what relates to something itself is the root of no thread', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const child = await relate(harness, { room, parent, relType: 'm.thread' });
    await relate(harness, { room, parent: child, relType: 'm.thread' });
    assert.equal(await sums(harness, room, child), undefined);
  });

  test('the most recent valid edit, by its own time', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const replace = { room, parent, relType: 'm.replace' };
    await relate(harness, { ...replace, content: edit('first') });
    harness.clock.advance(1000);
    const latest = await relate(harness, { ...replace, content: edit('second') });
    harness.clock.advance(-500);
    await relate(harness, { ...replace, content: edit('late, but dated earlier') });
    harness.clock.advance(1000);
    await relate(harness, { ...replace, content: { body: 'no new content' } });
    await relate(harness, { ...replace, sender: BOB, content: edit('of another') });
    await relate(harness, {
      ...replace,
      type: 'org.example.other',
      content: edit('of another type'),
    });
    const { 'm.replace': sum } = await sums(harness, room, parent);
    assert.equal(sum.event_id, latest);
    assert.equal(sum.sender, ALICE);
    await harness.rooms.redact(room, latest);
    const { 'm.replace': now } = await sums(harness, room, parent);
    assert.equal(now.content['m.new_content'].body, 'late, but dated earlier');
  });

  test('no edit is shown of edits and of redacted events', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const first = await relate(harness, {
      room,
      parent,
      relType: 'm.replace',
      content: edit('one'),
    });
    await relate(harness, { room, parent: first, relType: 'm.replace', content: edit('two') });
    assert.equal(await sums(harness, room, first), undefined);
    await relate(harness, { room, parent, relType: 'm.reference' });
    await harness.rooms.redact(room, parent);
    const sum = await sums(harness, room, parent);
    assert.deepEqual(Object.keys(sum), ['m.reference']);
  });

  test('references by their ids, in order; annotations and other kinds not at all', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const one = await relate(harness, { room, parent, relType: 'm.reference' });
    const two = await relate(harness, { room, parent, relType: 'm.reference', sender: BOB });
    await relate(harness, { room, parent, relType: 'm.annotation', type: 'm.reaction' });
    await relate(harness, { room, parent });
    assert.deepEqual(await sums(harness, room, parent), {
      'm.reference': { chunk: [{ event_id: one }, { event_id: two }] },
    });
  });

  test('state events have none', async () => {
    const { harness, room } = await roomOfTwo();
    const name = { type: 'm.room.name', stateKey: '', content: { name: 'x' } };
    const state = await harness.rooms.setState(room, ALICE, name);
    await relate(harness, { room, parent: state, relType: 'm.reference' });
    assert.equal(await sums(harness, room, state), undefined);
  });

  test('what the viewer cannot see is not summed up', async () => {
    const { harness, room } = await roomOfTwo();
    await harness.rooms.setVisibility(room, 'world_readable');
    const parent = await harness.rooms.message(room, ALICE, 'open');
    const thread = { room, parent, relType: 'm.thread' };
    const open = await relate(harness, thread);
    await harness.rooms.setVisibility(room, 'joined');
    await relate(harness, thread);
    await relate(harness, { room, parent, relType: 'm.reference' });
    await relate(harness, { room, parent, relType: 'm.replace', content: edit('hidden') });
    await harness.rooms.setVisibility(room, 'world_readable');
    const sum = await sums(harness, room, parent, CAROL);
    assert.deepEqual(Object.keys(sum), ['m.thread']);
    assert.deepEqual([sum['m.thread'].count, sum['m.thread'].latest_event.event_id], [1, open]);
  });

  test('they are in /messages, /context, /relations and a limited timeline', async () => {
    const { harness, room, parent } = await roomOfTwo();
    const child = await relate(harness, { room, parent, relType: 'm.reference' });
    const nested = await relate(harness, { room, parent: child, relType: 'm.reference' });
    await harness.settled();
    const expected = { 'm.reference': { chunk: [{ event_id: child }] } };
    const of = (events: Body[], id: string) =>
      events.find((event) => event.event_id === id)?.unsigned['m.relations'];
    const asking = { viewer: viewer(ALICE), roomId: room, limit: 20, filter: {} };
    const messages: Body = await harness.api.messages({ ...asking, dir: 'b' });
    assert.deepEqual(of(messages.chunk, parent), expected);
    const context: Body = await harness.api.context({ ...asking, eventId: parent });
    assert.deepEqual(of([context.event], parent), expected);
    const children = await ask(harness, { room, parent });
    assert.deepEqual(of(children.chunk, child), {
      'm.reference': { chunk: [{ event_id: nested }] },
    });
    const limited = { room: { timeline: { limit: 3 } } };
    const sync = await harness.sync(viewer(ALICE), { filter: limited });
    assert.deepEqual(of(sync.rooms.join[room].timeline.events, parent), expected);
  });
});
