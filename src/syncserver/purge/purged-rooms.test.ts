// What is left of a purged room: out of sight at once, deleted bit by bit, also after a crash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { insertPurge } from '../store/purges.ts';
import { ALICE, BOB, type Harness, openHarness, viewer } from '../testing/harness.ts';

forEachBackend('rows of purged rooms', (backend) => {
  test('are all gone in the end, those of other rooms stay', async () => {
    const { harness, room, other } = await setUp();
    await harness.rooms.purge(room);
    const { rooms } = await harness.sync(viewer(ALICE));
    assert.deepEqual(Object.keys(rooms.join), [other]);
    await until(async () => (await rowsOf(harness, room)) === 0);
    assert.ok((await rowsOf(harness, other)) > 0);
  });

  test('are out of sight, and go, when a crash has left them', async () => {
    const { harness, room, other } = await setUp();
    await harness.settled();
    const position = harness.rooms.position;
    await harness.database.transact((tx) => insertPurge(tx, { roomId: room, position }));
    await harness.rooms.message(room, ALICE, 'in a room of the same id');
    await harness.start();
    assert.deepEqual(Object.keys((await harness.sync(viewer(ALICE))).rooms.join), [other]);
    const purges = () => harness.database.all(sql`SELECT room_id FROM syncapi_purges`);
    await until(async () => (await purges()).length === 0);
    assert.equal(await rowsOf(harness, room), 1);
  });

  async function setUp() {
    const harness = await openHarness(backend);
    const room = await harness.rooms.createRoom(ALICE);
    const other = await harness.rooms.createRoom(ALICE);
    await harness.rooms.member(room, BOB, 'join');
    let eventId = await harness.rooms.message(room, BOB, 'first');
    for (let n = 0; n < 10; n += 1) eventId = await harness.rooms.message(room, BOB, 'more');
    await harness.receipt(room, ALICE, { eventId });
    await harness.settled();
    return { harness, room, other };
  }
});

async function rowsOf({ database }: Harness, room: RoomId): Promise<number> {
  const row = await database.get<{ rows: number }>(sql`
    SELECT (SELECT count(*) FROM syncapi_timeline WHERE room_id = ${room})
      + (SELECT count(*) FROM syncapi_memberships WHERE room_id = ${room})
      + (SELECT count(*) FROM syncapi_receipts WHERE room_id = ${room}) AS rows`);
  return row?.rows ?? -1;
}
