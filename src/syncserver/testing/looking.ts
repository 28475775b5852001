// A room that is open to all, and somebody who looks into it.

import assert from 'node:assert/strict';
import type { Database } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';
import { ALICE, BOB, type Harness, type HarnessOptions, openHarness, viewer } from './harness.ts';

export const LOOKER = viewer(BOB);

export interface Looking {
  readonly harness: Harness;
  readonly room: RoomId;
  /** Of a sync that has sent the peek's state. */
  readonly since: string;
}

export async function openLooking(
  backend: Parameters<typeof openHarness>[0],
  options: HarnessOptions = {},
): Promise<Looking> {
  const harness = await openHarness(backend, options);
  const room = await harness.rooms.createRoom(ALICE, { visibility: 'world_readable' });
  await harness.rooms.peek(room, LOOKER);
  const first = await harness.sync(LOOKER);
  assert.ok(first.rooms.peek[room]);
  return { harness, room, since: first.next_batch };
}

export function peeksOf(database: Database, { userId, deviceId }: Viewer): Promise<object[]> {
  return database.all(
    sql`SELECT * FROM syncapi_peeks WHERE user_id = ${userId} AND device_id = ${deviceId}`,
  );
}

export function interestIn(database: Database): Promise<{ room_id: string; wanted: number }[]> {
  return database.all(sql`SELECT room_id, wanted FROM syncapi_peek_interest`);
}
