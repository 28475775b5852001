// What was last published of each room: whether any device looks into it.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export interface PublishedInterest {
  readonly roomId: RoomId;
  readonly wanted: boolean;
  readonly sequence: number;
  /** ms since the epoch. */
  readonly publishedTs: number;
}

interface Row {
  readonly room_id: string;
  readonly wanted: number;
  readonly sequence: number;
  readonly published_ts: number;
}

export async function selectPublishedInterest(
  database: Queryable,
  roomId: RoomId,
): Promise<PublishedInterest | undefined> {
  const found = await database.get<Row>(sql`
    SELECT * FROM syncapi_peek_interest WHERE room_id = ${roomId}`);
  return found && fromRow(found);
}

export async function selectWantedRooms(database: Queryable): Promise<RoomId[]> {
  const found = await database.all<{ room_id: RoomId }>(sql`
    SELECT room_id FROM syncapi_peek_interest WHERE wanted = 1`);
  return found.map((row) => row.room_id);
}

export async function insertPublishedInterest(
  tx: Transaction,
  interest: PublishedInterest,
): Promise<void> {
  await tx.run(sql`
    INSERT INTO syncapi_peek_interest (room_id, wanted, sequence, published_ts)
    VALUES (${interest.roomId}, ${interest.wanted ? 1 : 0}, ${interest.sequence},
      ${interest.publishedTs})
    ON CONFLICT (room_id) DO UPDATE SET wanted = excluded.wanted, sequence = excluded.sequence,
      published_ts = excluded.published_ts`);
}

function fromRow(row: Row): PublishedInterest {
  return {
    roomId: row.room_id as RoomId,
    wanted: row.wanted === 1,
    sequence: row.sequence,
    publishedTs: row.published_ts,
  };
}
