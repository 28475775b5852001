// roomserver_aliases: the aliases of this server.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { RoomAlias, RoomId, UserId } from '../../protocol/identifiers.ts';

export interface AliasRow {
  readonly alias: RoomAlias;
  readonly room_id: RoomId;
  readonly creator: UserId;
}

export function selectAlias(from: Queryable, alias: RoomAlias): Promise<AliasRow | undefined> {
  return from.get(
    sql`SELECT alias, room_id, creator FROM roomserver_aliases WHERE alias = ${alias}`,
  );
}

export async function selectAliasesOfRoom(from: Queryable, roomId: RoomId): Promise<RoomAlias[]> {
  const found = await from.all<{ alias: RoomAlias }>(
    sql`SELECT alias FROM roomserver_aliases WHERE room_id = ${roomId} ORDER BY alias`,
  );
  return found.map(({ alias }) => alias);
}

export interface NewAlias {
  readonly alias: RoomAlias;
  readonly roomId: RoomId;
  readonly creator: UserId;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** Returns false, having written nothing, when the alias is taken. */
export async function insertAlias(tx: Transaction, row: NewAlias): Promise<boolean> {
  const written = await tx.run(
    sql`INSERT INTO roomserver_aliases (alias, room_id, creator, created_at)
      VALUES (${row.alias}, ${row.roomId}, ${row.creator}, ${row.createdAt})
      ON CONFLICT (alias) DO NOTHING`,
  );
  return written === 1;
}

/** The room is named so that an alias that has been given to another room meanwhile stays. */
export async function deleteAlias(
  tx: Transaction,
  alias: RoomAlias,
  roomId: RoomId,
): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_aliases WHERE alias = ${alias} AND room_id = ${roomId}`);
}

export async function moveAliases(tx: Transaction, from: RoomId, to: RoomId): Promise<void> {
  await tx.run(sql`UPDATE roomserver_aliases SET room_id = ${to} WHERE room_id = ${from}`);
}

export async function deleteAliasesOfRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await tx.run(sql`DELETE FROM roomserver_aliases WHERE room_id = ${roomId}`);
}
