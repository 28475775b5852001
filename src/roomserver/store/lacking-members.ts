// roomserver_lacking_members: members of a state that arrived as a whole whose events could not be verified then, since the
// keys of their servers could not be had.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';

export interface LackingMember {
  readonly roomId: RoomId;
  /** As the event has it: not verified. */
  readonly userId: string;
  readonly eventId: EventId;
}

export async function selectLackingMembers(from: Queryable): Promise<LackingMember[]> {
  const found = await from.all<{ room_id: RoomId; user_id: string; event_id: EventId }>(
    sql`SELECT room_id, user_id, event_id FROM roomserver_lacking_members`,
  );
  return found.map((row) => ({
    roomId: row.room_id,
    userId: row.user_id,
    eventId: row.event_id,
  }));
}

/** In place of those of the room that there were. */
export async function replaceLackingMembers(
  tx: Transaction,
  roomId: RoomId,
  members: readonly LackingMember[],
): Promise<void> {
  await deleteLackingMembers(tx, roomId);
  if (members.length === 0) return;
  const columns = { user_id: 'text', event_id: 'text' } as const;
  const added = members.map(({ userId, eventId }) => ({ user_id: userId, event_id: eventId }));
  await tx.run(
    sql`INSERT INTO roomserver_lacking_members (room_id, user_id, event_id)
      SELECT ${roomId}, user_id, event_id FROM ${rows(columns, added)}
      WHERE true ON CONFLICT DO NOTHING`,
  );
}

export async function deleteLackingMembers(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_lacking_members WHERE room_id = ${roomId}`);
}
