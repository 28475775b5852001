// roomserver_invites: invites of, and knocks by, local users where this server is not in the room: all that is known
// of such a membership. Beside each stands a row of roomserver_memberships.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';

export interface Invite {
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly eventId: EventId;
  readonly membership: 'invite' | 'knock';
  readonly roomVersion: RoomVersionId;
  /** The server that sent the invite, or took the knock: it is in the room. */
  readonly server: ServerName;
}

interface InviteRow {
  readonly room_id: RoomId;
  readonly user_id: UserId;
  readonly event_id: EventId;
  readonly membership: Invite['membership'];
  readonly room_version: RoomVersionId;
  readonly server: ServerName;
}

export async function upsertInvite(tx: Transaction, invite: Invite): Promise<void> {
  await tx.run(
    sql`INSERT INTO roomserver_invites (user_id, room_id, event_id, membership, room_version, server)
      VALUES (${invite.userId}, ${invite.roomId}, ${invite.eventId}, ${invite.membership},
        ${invite.roomVersion}, ${invite.server})
      ON CONFLICT (user_id, room_id) DO UPDATE SET event_id = excluded.event_id,
        membership = excluded.membership, room_version = excluded.room_version, server = excluded.server`,
  );
}

export async function selectInvite(
  from: Queryable,
  roomId: RoomId,
  userId: UserId,
): Promise<Invite | undefined> {
  const row = await from.get<InviteRow>(
    sql`SELECT user_id, room_id, event_id, membership, room_version, server FROM roomserver_invites
      WHERE user_id = ${userId} AND room_id = ${roomId}`,
  );
  return (
    row && {
      roomId: row.room_id,
      userId: row.user_id,
      eventId: row.event_id,
      membership: row.membership,
      roomVersion: row.room_version,
      server: row.server,
    }
  );
}

export async function deleteInvite(tx: Transaction, roomId: RoomId, userId: UserId): Promise<void> {
  await tx.run(
    sql`DELETE FROM roomserver_invites WHERE user_id = ${userId} AND room_id = ${roomId}`,
  );
}

export async function deleteInvitesOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_invites WHERE room_id = ${roomId}`);
}
