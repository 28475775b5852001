// What many members or many rooms must not cost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../test/contracts/backends.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import { ALICE, BOB, type Body, type Harness, openHarness, viewer } from './testing/harness.ts';

forEachBackend('scale of the syncserver', (backend) => {
  test('heroes are looked up once for all whom a change of members wakes', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 20);
    const polls = await Promise.all(members.map((userId) => waiting(harness, userId)));
    harness.rooms.calls.clear();
    await harness.rooms.member(room, BOB, 'join');
    for (const { answer } of polls) {
      assert.equal((await answer).rooms.join[room].summary['m.joined_member_count'], 22);
    }
    assert.equal(harness.rooms.calls.get('queryStateIds'), 1);
  });

  test('heroes of a large room are members, although most have left', async () => {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const members = await join(harness, room, 130);
    for (const userId of members) await harness.rooms.member(room, userId, 'leave');
    await harness.rooms.member(room, BOB, 'join');
    const { rooms } = await harness.sync(viewer(ALICE));
    assert.deepEqual(rooms.join[room].summary['m.heroes'], [BOB]);
  });
});

async function join(harness: Harness, room: RoomId, count: number): Promise<UserId[]> {
  const members = Array.from({ length: count }, (_, n) => `@member${n}:localhost` as UserId);
  for (const userId of members) await harness.rooms.member(room, userId, 'join');
  return members;
}

async function waiting(harness: Harness, userId: UserId): Promise<{ answer: Promise<Body> }> {
  const { next_batch: since } = await harness.sync(viewer(userId));
  return harness.waitingPoll(viewer(userId), { since });
}
