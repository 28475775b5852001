// Filters of /sync hold for peeked rooms as for joined ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestClient } from '../client.ts';
import {
  type Any,
  bodies,
  ids,
  isWhole,
  join,
  peek,
  roomPath,
  sectionsOf,
  types,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

async function filtered(client: TestClient, filter: object, query: Record<string, string> = {}) {
  return client.sync({ filter: JSON.stringify(filter), ...query });
}

function timeline(part: object): object {
  return { room: { timeline: part } };
}

test('limit 0 shows no event but all state, limit 1 the last event; prev_batch leads to the rest', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await scene().setTopic(room, 'new');
  await scene().lines(room, 3);
  for (const [limit, shown] of [
    [0, []],
    [1, ['line 2']],
  ] as const) {
    const answer = await filtered(client, timeline({ limit }), { since });
    const section = answer.rooms.peek[room];
    assert.equal(section.timeline.limited, true);
    assert.deepEqual(bodies(section), shown);
    assert.deepEqual(types(section, 'state'), ['m.room.topic']);
    const from = section.timeline.prev_batch;
    const page = await client.ok('GET', roomPath(room, `messages?dir=b&limit=1&from=${from}`));
    assert.equal(page.chunk[0].content.body, `line ${2 - limit}`);
    const whole = await filtered(client, timeline({ limit }));
    assert.ok(isWhole(whole.rooms.peek[room]));
  }
});

test('rooms and not_rooms, of the whole and of the timeline', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await scene().member.send(room, 'unseen');
  const nothing = [
    { room: { rooms: [] } },
    { room: { not_rooms: [room] } },
    { room: { rooms: ['!other:localhost'] } },
    timeline({ rooms: [] }),
    timeline({ not_rooms: [room] }),
  ];
  for (const filter of nothing) {
    assert.deepEqual(sectionsOf(await filtered(client, filter, { since }), room), []);
  }
  const only = await filtered(client, { room: { rooms: [room] } }, { since });
  assert.deepEqual(bodies(only.rooms.peek[room]), ['unseen']);
  await unpeek(client, room);
  const hidden = await filtered(client, { room: { not_rooms: [room] } }, { since });
  assert.deepEqual(sectionsOf(hidden, room), []);
  const told = await filtered(client, { room: { not_rooms: ['!other:localhost'] } }, { since });
  assert.deepEqual(sectionsOf(told, room), ['leave']);
});

test('types, senders and urls of the timeline; state that it drops comes as state', async () => {
  const room = await scene().openRoom({ preset: 'public_chat' });
  const talker = await scene().newUser();
  await join(talker, room);
  const { client, since } = await scene().looking(room);
  await scene().setTopic(room, 'new');
  await scene().member.send(room, 'from the member');
  await talker.send(room, 'from another');
  const messages = await filtered(client, timeline({ types: ['m.room.message'] }), { since });
  assert.deepEqual(types(messages.rooms.peek[room]), ['m.room.message', 'm.room.message']);
  assert.deepEqual(types(messages.rooms.peek[room], 'state'), ['m.room.topic']);
  const others = timeline({ not_senders: [talker.userId], not_types: ['m.room.topic'] });
  const fromMember = await filtered(client, others, { since });
  assert.deepEqual(bodies(fromMember.rooms.peek[room]), ['from the member']);
  const none = await filtered(client, timeline({ contains_url: true }), { since });
  assert.deepEqual(types(none.rooms.peek[room]), []);
  assert.deepEqual(types(none.rooms.peek[room], 'state'), ['m.room.topic']);
});

test('what the filter drops wakes nobody, and what comes after it does', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  const query = { since, timeout: '30000' };
  const waiting = filtered(client, timeline({ types: ['m.room.message'] }), query);
  await scene().server.untilWaiting(client);
  await scene().member.sendEvent(room, 'm.other', {});
  await scene().member.send(room, 'at last');
  assert.deepEqual(bodies((await waiting).rooms.peek[room]), ['at last']);
});

test('event_fields and event_format', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  const sent = await scene().member.send(room, 'in parts');
  const fields = await filtered(client, { event_fields: ['type', 'content.body'] }, { since });
  assert.deepEqual(fields.rooms.peek[room].timeline.events, [
    { type: 'm.room.message', content: { body: 'in parts' } },
  ]);
  const federated = await filtered(client, { event_format: 'federation' }, { since });
  const [event] = federated.rooms.peek[room].timeline.events;
  assert.equal(event.event_id, sent);
  assert.ok(event.auth_events.length > 0 && event.hashes.sha256 !== undefined);
});

test('use_state_after gives the state at the end, for peeks and their ends alike', async () => {
  const room = await scene().openRoom();
  const client = await scene().newUser();
  await peek(client, room);
  const first = await client.sync({ use_state_after: 'true' });
  const section = first.rooms.peek[room];
  assert.equal(section.state, undefined);
  assert.ok(types(section, 'state_after').includes('m.room.create'));
  const topic = await scene().setTopic(room, 'new');
  await unpeek(client, room);
  const ended = await client.sync({ since: first.next_batch, use_state_after: 'true' });
  const { state_after: after } = ended.rooms.leave[room];
  assert.deepEqual(
    after.events.map((event: Any) => event.event_id),
    [topic],
  );
  assert.deepEqual(ids(ended.rooms.leave[room]), [topic]);
});

test('lazy-loaded members: senders once, again only if redundant ones are asked for, and for a new look', async () => {
  const room = await scene().openRoom({ preset: 'public_chat', name: 'Named' });
  const talker = await scene().newUser();
  const silent = await scene().newUser();
  for (const user of [talker, silent]) await join(user, room);
  await scene().lines(room, 12);
  const lazy = { room: { state: { lazy_load_members: true } } };
  const members = (section: Any): string[] =>
    section.state.events
      .filter((event: Any) => event.type === 'm.room.member')
      .map((event: Any) => event.state_key);
  const client = await scene().newUser();
  await peek(client, room);
  const first = await filtered(client, lazy);
  assert.deepEqual(members(first.rooms.peek[room]), [scene().member.userId]);
  await talker.send(room, 'hello');
  await scene().member.send(room, 'hello');
  const second = await filtered(client, lazy, { since: first.next_batch });
  assert.deepEqual(members(second.rooms.peek[room]), [talker.userId]);
  await talker.send(room, 'again');
  const third = await filtered(client, lazy, { since: second.next_batch });
  assert.deepEqual(members(third.rooms.peek[room]), []);
  const redundant = {
    room: { state: { lazy_load_members: true, include_redundant_members: true } },
  };
  const repeated = await filtered(client, redundant, { since: second.next_batch });
  assert.deepEqual(members(repeated.rooms.peek[room]), [talker.userId]);
  await unpeek(client, room);
  await peek(client, room);
  await talker.send(room, 'to who looks anew');
  const anew = await filtered(client, lazy, { since: third.next_batch });
  assert.ok(members(anew.rooms.peek[room]).includes(talker.userId));
});

test('joining with lazy-loaded members builds on those that the peek has sent', async () => {
  const room = await scene().openRoom({ preset: 'public_chat', name: 'Named' });
  const talker = await scene().newUser();
  await join(talker, room);
  await scene().lines(room, 12);
  const lazy = { room: { state: { lazy_load_members: true } } };
  const client = await scene().newUser();
  await peek(client, room);
  const first = await filtered(client, lazy);
  await talker.send(room, 'hello');
  await scene().member.send(room, 'hello');
  await join(client, room);
  const joined = await filtered(client, lazy, { since: first.next_batch });
  const keys = joined.rooms.join[room].state.events.map((event: Any) => event.state_key);
  assert.deepEqual(keys, [talker.userId]);
});
