// What the end of SyTest's tests/31sync/17peeking.pl lists as comments only, by name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Any,
  bodies,
  ids,
  isWhole,
  join,
  leave,
  peek,
  peekPath,
  refusal,
  roomPath,
  sectionsOf,
  types,
  unpeek,
  useScene,
} from './scene.ts';

const scene = useScene();

const PUBLIC = { preset: 'public_chat' };

test('Users can unpeek from rooms', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await scene().member.send(room, 'just one more thing');
  await unpeek(client, room);
  await scene().member.send(room, 'not any more');
  const ended = await client.sync({ since });
  assert.deepEqual(sectionsOf(ended, room), ['leave']);
  assert.deepEqual(bodies(ended.rooms.leave[room]), ['just one more thing']);
  assert.deepEqual((await client.sync({ since })).rooms, ended.rooms);
  const later = await client.sync({ since: ended.next_batch });
  assert.deepEqual(sectionsOf(later, room), []);
  assert.deepEqual(sectionsOf(await client.sync(), room), []);
  const again = await refusal(client, ['POST', roomPath(room, 'unpeek'), {}]);
  assert.deepEqual(again, [400, 'M_BAD_STATE']);
});

test('Users can peek, unpeek and peek again', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await unpeek(client, room);
  const ended = await client.sync({ since });
  await scene().setTopic(room, 'changed meanwhile');
  await scene().member.send(room, 'sent meanwhile');
  await peek(client, room);
  const again = await client.sync({ since: ended.next_batch });
  assert.deepEqual(sectionsOf(again, room), ['peek']);
  assert.ok(isWhole(again.rooms.peek[room]));
  assert.equal(bodies(again.rooms.peek[room]).at(-1), 'sent meanwhile');
  await scene().member.send(room, 'live again');
  const live = await client.sync({ since: again.next_batch });
  assert.deepEqual(bodies(live.rooms.peek[room]), ['live again']);
  await unpeek(client, room);
  assert.deepEqual(sectionsOf(await client.sync({ since: live.next_batch }), room), ['leave']);
});

test('Peeking with full_state=true does the right thing', async () => {
  const room = await scene().openRoom();
  const { client, since } = await scene().looking(room);
  await scene().setTopic(room, 'new');
  const last = await scene().member.send(room, 'since then');
  const whole = await client.sync({ since, full_state: 'true' });
  const section = whole.rooms.peek[room];
  assert.equal(ids(section).at(-1), last);
  assert.deepEqual(types(section), ['m.room.topic', 'm.room.message']);
  const { member } = scene();
  const current = await member.ok('GET', roomPath(room, 'state'));
  const keyOf = (event: Any) => `${event.type} ${event.state_key}`;
  const known = new Map<string, string>();
  for (const event of [...section.state.events, ...section.timeline.events]) {
    if (event.state_key !== undefined) known.set(keyOf(event), event.event_id);
  }
  const expected = new Map(current.map((event: Any) => [keyOf(event), event.event_id]));
  assert.deepEqual(new Map([...known].sort()), new Map([...expected].sort() as [string, string][]));
  const quiet = await client.sync({ since: whole.next_batch, full_state: 'true' });
  assert.ok(types(quiet.rooms.peek[room], 'state').includes('m.room.create'));
  assert.deepEqual(types(quiet.rooms.peek[room]), []);
  await unpeek(client, room);
  const ended = await client.sync({ since: quiet.next_batch, full_state: 'true' });
  assert.deepEqual(ended.rooms, { leave: { [room]: {} } });
});

test('Joining a peeked room moves it atomically from peeked to joined rooms and stops peeking', async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  const before = await scene().member.send(room, 'before the join');
  await join(client, room);
  const after = await scene().member.send(room, 'after the join');
  const moved = await client.sync({ since });
  assert.deepEqual(sectionsOf(moved, room), ['join']);
  const section = moved.rooms.join[room];
  const [first, own, last] = ids(section);
  assert.deepEqual([first, last], [before, after]);
  assert.equal(section.timeline.events[1].state_key, client.userId);
  assert.equal(typeof own, 'string');
  assert.equal(section.timeline.limited, false);
  assert.deepEqual(types(section, 'state'), []);
  assert.equal(section.summary['m.joined_member_count'], 2);
  assert.equal(await scene().server.isPeeking(client, room), false);
  assert.deepEqual(await refusal(client, ['POST', peekPath(room), {}]), [400, 'M_BAD_STATE']);
  const end = await refusal(client, ['POST', roomPath(room, 'unpeek'), {}]);
  assert.deepEqual(end, [400, 'M_BAD_STATE']);
});

test("Parting a room which was joined after being peeked doesn't go back to being peeked", async () => {
  const room = await scene().openRoom(PUBLIC);
  const { client, since } = await scene().looking(room);
  await join(client, room);
  const joined = await client.sync({ since });
  await leave(client, room);
  await scene().member.send(room, 'behind her back');
  const left = await client.sync({ since: joined.next_batch });
  assert.deepEqual(sectionsOf(left, room), ['leave']);
  assert.deepEqual(types(left.rooms.leave[room]), ['m.room.member']);
  await scene().member.send(room, 'and again');
  assert.deepEqual(sectionsOf(await client.sync({ since: left.next_batch }), room), []);
  assert.deepEqual(sectionsOf(await client.sync(), room), []);
  const end = await refusal(client, ['POST', roomPath(room, 'unpeek'), {}]);
  assert.deepEqual(end, [400, 'M_BAD_STATE']);
});

for (const visibility of ['shared', 'invited', 'joined']) {
  test(`Changing history visibility to non-world_readable terminates peeks (${visibility})`, async () => {
    const room = await scene().openRoom();
    const { client, since } = await scene().looking(room);
    const waiting = client.sync({ since, timeout: '30000' });
    await scene().server.untilWaiting(client);
    const tightening = await scene().setVisibility(room, visibility);
    const ended = await waiting;
    assert.deepEqual(sectionsOf(ended, room), ['leave']);
    assert.deepEqual(ids(ended.rooms.leave[room]), [tightening]);
    await scene().member.send(room, 'unseen');
    const same = await client.sync({ since });
    assert.deepEqual(same.rooms, ended.rooms);
    await scene().setVisibility(room, 'world_readable');
    await scene().member.send(room, 'in the open again, but not peeked');
    const later = await client.sync({ since: ended.next_batch });
    assert.deepEqual(sectionsOf(later, room), []);
    assert.equal(await scene().server.isPeeking(client, room), false);
  });
}
