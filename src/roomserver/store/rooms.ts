// roomserver_rooms: the committed head of each room.

import type { Queryable, Transaction } from '../../database/database.ts';
import { rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import type { HistoryVisibility } from '../../protocol/visibility.ts';
import type { RoomHead } from '../rooms/room-head.ts';

interface RoomRow {
  readonly room_id: RoomId;
  readonly room_version: RoomVersionId;
  readonly creator: UserId;
  readonly create_event_id: EventId;
  readonly extremities: string;
  readonly current_state: string;
  readonly joined_members: number;
  readonly invited_members: number;
  readonly local_members: number;
  readonly visibility: HistoryVisibility;
  readonly encrypted: number;
}

type StoredExtremity = [eventId: EventId, depth: number, stateAfter: string];

export async function selectHead(from: Queryable, roomId: RoomId): Promise<RoomHead | undefined> {
  const row = await from.get<RoomRow>(
    sql`SELECT room_id, room_version, creator, create_event_id, extremities, current_state, joined_members,
        invited_members, local_members, visibility, encrypted
      FROM roomserver_rooms WHERE room_id = ${roomId}`,
  );
  return row && headOf(row);
}

function headOf(row: RoomRow): RoomHead {
  const extremities = JSON.parse(row.extremities) as StoredExtremity[];
  return {
    roomId: row.room_id,
    roomVersion: row.room_version,
    creator: row.creator,
    createEventId: row.create_event_id,
    extremities: extremities.map(([eventId, depth, stateAfter]) => ({
      eventId,
      depth,
      stateAfter,
    })),
    currentState: row.current_state,
    joinedMembers: row.joined_members,
    invitedMembers: row.invited_members,
    localMembers: row.local_members,
    visibility: row.visibility,
    encrypted: row.encrypted !== 0,
  };
}

const COLUMNS = {
  room_id: 'text',
  room_version: 'text',
  creator: 'text',
  create_event_id: 'text',
  extremities: 'text',
  current_state: 'text',
  joined_members: 'bigint',
  invited_members: 'bigint',
  local_members: 'bigint',
  visibility: 'text',
  encrypted: 'bigint',
} as const;

function rowOf(head: RoomHead) {
  if (head.createEventId === undefined)
    throw new Error(`${head.roomId} has no m.room.create event`);
  const extremities: StoredExtremity[] = head.extremities.map((extremity) => [
    extremity.eventId,
    extremity.depth,
    extremity.stateAfter,
  ]);
  return {
    room_id: head.roomId,
    room_version: head.roomVersion,
    creator: head.creator,
    create_event_id: head.createEventId,
    extremities: JSON.stringify(extremities),
    current_state: head.currentState,
    joined_members: head.joinedMembers,
    invited_members: head.invitedMembers,
    local_members: head.localMembers,
    visibility: head.visibility,
    encrypted: head.encrypted ? 1 : 0,
  };
}

export async function upsertHeads(tx: Transaction, heads: readonly RoomHead[]): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_rooms (room_id, room_version, creator, create_event_id, extremities, current_state,
        joined_members, invited_members, local_members, visibility, encrypted)
      SELECT room_id, room_version, creator, create_event_id, extremities, current_state,
        joined_members, invited_members, local_members, visibility, encrypted
      FROM ${rows(COLUMNS, heads.map(rowOf))}
      WHERE true
      ON CONFLICT (room_id) DO UPDATE SET extremities = excluded.extremities,
        current_state = excluded.current_state, joined_members = excluded.joined_members,
        invited_members = excluded.invited_members, local_members = excluded.local_members,
        visibility = excluded.visibility, encrypted = excluded.encrypted`,
  );
}

export async function deleteHead(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_rooms WHERE room_id = ${roomId}`);
}
