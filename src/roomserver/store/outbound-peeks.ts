// roomserver_outbound_peeks: through which servers we look into rooms in which we are not resident; and
// roomserver_peek_interest: whether anybody here wants us to.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';

export interface OutboundPeek {
  readonly roomId: RoomId;
  readonly server: ServerName;
  readonly peekId: string;
}

interface OutboundPeekRow {
  readonly room_id: RoomId;
  readonly server: ServerName;
  readonly peek_id: string;
}

export async function selectOutboundPeeks(from: Queryable): Promise<OutboundPeek[]> {
  const found = await from.all<OutboundPeekRow>(
    sql`SELECT room_id, server, peek_id FROM roomserver_outbound_peeks`,
  );
  return found.map((row) => ({ roomId: row.room_id, server: row.server, peekId: row.peek_id }));
}

export async function insertOutboundPeek(
  tx: Transaction,
  { roomId, server, peekId }: OutboundPeek,
): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_outbound_peeks (room_id, server, peek_id)
      VALUES (${roomId}, ${server}, ${peekId})
      ON CONFLICT (room_id, server) DO UPDATE SET peek_id = excluded.peek_id`,
  );
}

export async function deleteOutboundPeek(
  tx: Transaction,
  { roomId, server, peekId }: OutboundPeek,
): Promise<void> {
  await tx.run(
    sql`DELETE FROM roomserver_outbound_peeks
      WHERE room_id = ${roomId} AND server = ${server} AND peek_id = ${peekId}`,
  );
}

export interface PeekInterestRow {
  readonly roomId: RoomId;
  readonly wanted: boolean;
  /** The greatest holds. */
  readonly sequence: number;
}

/** What nobody wants needs no row. */
export async function upsertPeekInterest(tx: Transaction, level: PeekInterestRow): Promise<void> {
  const { roomId, wanted, sequence } = level;
  if (!wanted) {
    await tx.run(
      sql`DELETE FROM roomserver_peek_interest
        WHERE room_id = ${roomId} AND sequence < ${sequence}`,
    );
    return;
  }
  await tx.run(
    sql`INSERT INTO roomserver_peek_interest (room_id, wanted, sequence)
      VALUES (${roomId}, 1, ${sequence})
      ON CONFLICT (room_id) DO UPDATE SET wanted = excluded.wanted, sequence = excluded.sequence
        WHERE excluded.sequence > roomserver_peek_interest.sequence`,
  );
}

export async function deletePeekInterest(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_peek_interest WHERE room_id = ${roomId}`);
}

/** Rooms that somebody looks into. */
export async function selectWantedRooms(from: Queryable): Promise<RoomId[]> {
  const found = await from.all<{ room_id: RoomId }>(
    sql`SELECT room_id FROM roomserver_peek_interest WHERE wanted = 1`,
  );
  return found.map((row) => row.room_id);
}
