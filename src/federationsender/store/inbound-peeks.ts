// Other servers that look into rooms of this one.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface InboundPeekKey {
  readonly roomId: RoomId;
  readonly destinationId: number;
  readonly peekId: string;
}

/** One that is there is renewed and keeps its cut. */
export async function insertInboundPeek(
  tx: Transaction,
  key: InboundPeekKey,
  { expiryTs, cut, now }: { readonly expiryTs: number; readonly cut: number; readonly now: number },
): Promise<void> {
  const columns = {
    room_id: 'text',
    destination_id: 'bigint',
    peek_id: 'text',
    expiry_ts: 'bigint',
    cut_position: 'bigint',
    since_ts: 'bigint',
    renewed_ts: 'bigint',
  } as const;
  const data = [
    {
      room_id: key.roomId,
      destination_id: key.destinationId,
      peek_id: key.peekId,
      expiry_ts: expiryTs,
      cut_position: cut,
      since_ts: now,
      renewed_ts: now,
    },
  ];
  await tx.run(sql`
    INSERT INTO federationsender_inbound_peeks
      (room_id, destination_id, peek_id, expiry_ts, cut_position, since_ts, renewed_ts)
    SELECT room_id, destination_id, peek_id, expiry_ts, cut_position, since_ts, renewed_ts
    FROM ${rows(columns, data)} WHERE true ON CONFLICT (room_id, destination_id, peek_id)
      DO UPDATE SET expiry_ts = excluded.expiry_ts, renewed_ts = excluded.renewed_ts`);
}

export async function deleteInboundPeek(tx: Transaction, key: InboundPeekKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM federationsender_inbound_peeks
    WHERE room_id = ${key.roomId} AND destination_id = ${key.destinationId}
      AND peek_id = ${key.peekId}`);
}

/** Whether there is one that has not expired. */
export async function selectInboundPeek(
  database: Queryable,
  key: InboundPeekKey,
  now: number,
): Promise<boolean> {
  const found = await database.get(sql`
    SELECT room_id FROM federationsender_inbound_peeks
    WHERE room_id = ${key.roomId} AND destination_id = ${key.destinationId}
      AND peek_id = ${key.peekId} AND expiry_ts > ${now}`);
  return found !== undefined;
}

export async function countPeekedRooms(
  database: Queryable,
  destinationId: number,
): Promise<number> {
  const found = await database.get<{ count: number }>(sql`
    SELECT COUNT(*) AS count FROM federationsender_inbound_peeks
    WHERE destination_id = ${destinationId}`);
  return found?.count ?? 0;
}

/** Without the one given: who looks already is no further one. */
export async function countOtherPeekingServers(
  database: Queryable,
  roomId: RoomId,
  destinationId: number,
): Promise<number> {
  const found = await database.get<{ count: number }>(sql`
    SELECT COUNT(DISTINCT destination_id) AS count FROM federationsender_inbound_peeks
    WHERE room_id = ${roomId} AND destination_id <> ${destinationId}`);
  return found?.count ?? 0;
}

export async function selectPeekingServers(
  database: Queryable,
  roomId: RoomId,
): Promise<{ readonly id: number; readonly server: ServerName }[]> {
  return database.all(sql`
    SELECT DISTINCT d.id, d.server FROM federationsender_inbound_peeks p
    JOIN federationsender_destinations d ON d.id = p.destination_id
    WHERE p.room_id = ${roomId}`);
}

/** ms since the epoch. */
export async function selectFirstInboundExpiry(database: Queryable): Promise<number | undefined> {
  const found = await database.get<{ first: number | null }>(
    sql`SELECT MIN(expiry_ts) AS first FROM federationsender_inbound_peeks`,
  );
  return found?.first ?? undefined;
}
