// Which devices look into which rooms. A row is one stretch of looking: it is active until `endedPosition` is
// set or `expiryTs` has come. Where exactly an expired one ended is decided once, when it is to be told.

import type { Queryable, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';

export type PeekVia = 'sync' | 'events';

export interface PeekKey {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly roomId: RoomId;
  readonly via: PeekVia;
}

export interface Peek extends PeekKey {
  readonly startedPosition: number;
  /** The last position that the looker is shown. */
  readonly endedPosition: number | undefined;
  /** ms since the epoch. */
  readonly expiryTs: number;
  /** `expiry`: its time was over. `purge`: the room is gone. Undefined: it goes on, or the log says why it ended. */
  readonly ending: 'expiry' | 'purge' | undefined;
}

/** Where and when peeks end; those that have expired by then end by that. */
export interface PeekEnd {
  readonly position: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** More than any room may have. */
const MAX_PEEKS = 1_000_000;

interface StoredPeek {
  readonly user_id: string;
  readonly device_id: string;
  readonly room_id: string;
  readonly via: string;
  readonly started_position: number;
  readonly ended_position: number | null;
  readonly expiry_ts: number;
  readonly ending: string | null;
}

export async function insertPeek(tx: Transaction, peek: Peek): Promise<void> {
  await tx.run(sql`
    INSERT INTO syncapi_peeks
      (user_id, device_id, room_id, via, started_position, ended_position, expiry_ts, ending)
    VALUES (${peek.userId}, ${peek.deviceId}, ${peek.roomId}, ${peek.via}, ${peek.startedPosition},
      ${peek.endedPosition ?? null}, ${peek.expiryTs}, ${peek.ending ?? null})`);
}

/** Moves the expiry of the active peek; undefined when there is none. */
export async function updatePeekExpiry(
  tx: Transaction,
  key: PeekKey,
  times: { readonly now: number; readonly expiryTs: number },
): Promise<Peek | undefined> {
  const found = await tx.get<StoredPeek>(sql`
    UPDATE syncapi_peeks SET expiry_ts = ${times.expiryTs}
    WHERE user_id = ${key.userId} AND device_id = ${key.deviceId} AND room_id = ${key.roomId}
      AND via = ${key.via} AND ended_position IS NULL AND expiry_ts > ${times.now}
    RETURNING *`);
  return found && fromStored(found);
}

export async function updatePeekEnded(
  tx: Transaction,
  key: PeekKey,
  { position, now }: PeekEnd,
): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    UPDATE syncapi_peeks SET ended_position = ${position}
    WHERE user_id = ${key.userId} AND device_id = ${key.deviceId} AND room_id = ${key.roomId}
      AND via = ${key.via} AND ended_position IS NULL AND expiry_ts > ${now}
    RETURNING *`);
  return found.map(fromStored);
}

/** All peeks of a user into a room end, on every device. */
export async function updatePeeksOfUserEnded(
  tx: Transaction,
  { userId, roomId }: Pick<PeekKey, 'userId' | 'roomId'>,
  { position, now }: PeekEnd,
): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    UPDATE syncapi_peeks SET ended_position = ${position}
    WHERE user_id = ${userId} AND room_id = ${roomId} AND ended_position IS NULL
      AND expiry_ts > ${now}
    RETURNING *`);
  return found.map(fromStored);
}

/** All peeks into a room end. */
export async function updatePeeksOfRoomEnded(
  tx: Transaction,
  roomId: RoomId,
  { position, now }: PeekEnd,
): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    UPDATE syncapi_peeks SET ended_position = ${position}
    WHERE room_id = ${roomId} AND ended_position IS NULL AND expiry_ts > ${now}
    RETURNING *`);
  return found.map(fromStored);
}

/** All peeks into a room end with the room; what ended before but was not told yet has nothing to show any more. */
export async function updatePeeksOfRoomPurged(
  tx: Transaction,
  roomId: RoomId,
  position: number,
): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    UPDATE syncapi_peeks SET ended_position = COALESCE(ended_position, ${position}), ending = 'purge'
    WHERE room_id = ${roomId}
    RETURNING *`);
  return found.map(fromStored);
}

/** Ends an expired peek, unless that has been done or it was renewed. */
export async function updatePeekExpired(
  tx: Transaction,
  peek: Peek,
  { position, now }: PeekEnd,
): Promise<void> {
  await tx.run(sql`
    UPDATE syncapi_peeks SET ended_position = ${position}, ending = 'expiry'
    WHERE user_id = ${peek.userId} AND device_id = ${peek.deviceId} AND room_id = ${peek.roomId}
      AND via = ${peek.via} AND started_position = ${peek.startedPosition}
      AND ended_position IS NULL AND expiry_ts <= ${now}`);
}

/** As it is stored now; undefined when it is gone. */
export async function selectPeek(database: Queryable, peek: Peek): Promise<Peek | undefined> {
  const found = await database.get<StoredPeek>(sql`
    SELECT * FROM syncapi_peeks
    WHERE user_id = ${peek.userId} AND device_id = ${peek.deviceId} AND room_id = ${peek.roomId}
      AND via = ${peek.via} AND started_position = ${peek.startedPosition}`);
  return found && fromStored(found);
}

export async function deletePeek(tx: Transaction, peek: Peek): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_peeks
    WHERE user_id = ${peek.userId} AND device_id = ${peek.deviceId} AND room_id = ${peek.roomId}
      AND via = ${peek.via} AND started_position = ${peek.startedPosition}`);
}

/** Unless it was renewed. */
export async function deleteOverduePeek(tx: Transaction, peek: Peek, now: number): Promise<void> {
  await tx.run(sql`
    DELETE FROM syncapi_peeks
    WHERE user_id = ${peek.userId} AND device_id = ${peek.deviceId} AND room_id = ${peek.roomId}
      AND via = ${peek.via} AND started_position = ${peek.startedPosition} AND expiry_ts <= ${now}`);
}

export async function deletePeeksOfDevice(
  tx: Transaction,
  userId: UserId,
  deviceId: DeviceId,
): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    DELETE FROM syncapi_peeks WHERE user_id = ${userId} AND device_id = ${deviceId} RETURNING *`);
  return found.map(fromStored);
}

export async function deletePeeksOfUser(tx: Transaction, userId: UserId): Promise<Peek[]> {
  const found = await tx.all<StoredPeek>(sql`
    DELETE FROM syncapi_peeks WHERE user_id = ${userId} RETURNING *`);
  return found.map(fromStored);
}

/** Of devices that never came back to hear of the end. */
export async function deletePeeksEndedBefore(tx: Transaction, expiryTs: number): Promise<void> {
  await tx.run(sql`DELETE FROM syncapi_peeks WHERE expiry_ts < ${expiryTs}`);
}

/** Active and ended ones. */
export async function selectPeeksOfUser(database: Queryable, userId: UserId): Promise<Peek[]> {
  const found = await database.all<StoredPeek>(sql`
    SELECT * FROM syncapi_peeks WHERE user_id = ${userId} ORDER BY started_position`);
  return found.map(fromStored);
}

/** Those that expire last come first. */
export async function selectActivePeeksOfRoom(
  database: Queryable,
  range: { readonly roomId: RoomId; readonly now: number; readonly limit?: number },
): Promise<Peek[]> {
  const found = await database.all<StoredPeek>(sql`
    SELECT * FROM syncapi_peeks
    WHERE room_id = ${range.roomId} AND ended_position IS NULL AND expiry_ts > ${range.now}
    ORDER BY expiry_ts DESC LIMIT ${range.limit ?? MAX_PEEKS}`);
  return found.map(fromStored);
}

/** Rooms with active peeks. */
export async function selectLookedIntoRooms(database: Queryable, now: number): Promise<RoomId[]> {
  const found = await database.all<{ room_id: RoomId }>(sql`
    SELECT room_id FROM syncapi_peeks WHERE ended_position IS NULL AND expiry_ts > ${now}`);
  return [...new Set(found.map((row) => row.room_id))];
}

export async function selectActivePeeksOfUser(
  database: Queryable,
  userId: UserId,
  now: number,
): Promise<Peek[]> {
  const found = await database.all<StoredPeek>(sql`
    SELECT * FROM syncapi_peeks
    WHERE user_id = ${userId} AND ended_position IS NULL AND expiry_ts > ${now}`);
  return found.map(fromStored);
}

/** How many look into the room now, and when the first of them stops. */
export async function selectRoomLoad(
  database: Queryable,
  roomId: RoomId,
  now: number,
): Promise<{ count: number; firstExpiryTs: number | null }> {
  const found = await database.get<{ count: number; first: number | null }>(sql`
    SELECT COUNT(*) AS count, MIN(expiry_ts) AS first FROM syncapi_peeks
    WHERE room_id = ${roomId} AND ended_position IS NULL AND expiry_ts > ${now}`);
  return { count: found?.count ?? 0, firstExpiryTs: found?.first ?? null };
}

function fromStored(row: StoredPeek): Peek {
  return {
    userId: row.user_id as UserId,
    deviceId: row.device_id as DeviceId,
    roomId: row.room_id as RoomId,
    via: row.via as PeekVia,
    startedPosition: row.started_position,
    endedPosition: row.ended_position ?? undefined,
    expiryTs: row.expiry_ts,
    ending: (row.ending ?? undefined) as Peek['ending'],
  };
}

/** Devices that look into each room, by whatever way. */
export async function countLookingDevices(
  database: Queryable,
  now: number,
): Promise<Map<RoomId, number>> {
  const found = await database.all<{ room_id: RoomId; devices: number }>(sql`
    SELECT room_id, COUNT(*) AS devices FROM (
      SELECT DISTINCT room_id, user_id, device_id FROM syncapi_peeks
      WHERE ended_position IS NULL AND expiry_ts > ${now}
    ) AS looking GROUP BY room_id`);
  return new Map(found.map((row) => [row.room_id, row.devices]));
}
