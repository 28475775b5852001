// Other servers that look into rooms of this one.

import type { Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { RoomId } from '../../protocol/identifiers.ts';

export interface InboundPeekKey {
  readonly roomId: RoomId;
  readonly destinationId: number;
  readonly peekId: string;
}

/** One that is there is renewed and keeps its cut. */
export async function insertInboundPeek(
  tx: Transaction,
  key: InboundPeekKey,
  { expiryTs, cut }: { readonly expiryTs: number; readonly cut: number },
): Promise<void> {
  const columns = {
    room_id: 'text',
    destination_id: 'bigint',
    peek_id: 'text',
    expiry_ts: 'bigint',
    cut_position: 'bigint',
  } as const;
  const data = [
    {
      room_id: key.roomId,
      destination_id: key.destinationId,
      peek_id: key.peekId,
      expiry_ts: expiryTs,
      cut_position: cut,
    },
  ];
  await tx.run(sql`
    INSERT INTO federationsender_inbound_peeks
      (room_id, destination_id, peek_id, expiry_ts, cut_position)
    SELECT room_id, destination_id, peek_id, expiry_ts, cut_position FROM ${rows(columns, data)}
    WHERE true ON CONFLICT (room_id, destination_id, peek_id)
      DO UPDATE SET expiry_ts = excluded.expiry_ts`);
}

export async function deleteInboundPeek(tx: Transaction, key: InboundPeekKey): Promise<void> {
  await tx.run(sql`
    DELETE FROM federationsender_inbound_peeks
    WHERE room_id = ${key.roomId} AND destination_id = ${key.destinationId}
      AND peek_id = ${key.peekId}`);
}

export async function deleteInboundPeeksOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM federationsender_inbound_peeks WHERE room_id = ${roomId}`);
}
