// Live events of rooms, of many at once too, in order of arrival.

import type { Queryable } from '../../database/database.ts';
import { list, sql } from '../../database/sql.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import { fromStored, type StoredRow, type TimelineRow } from './timeline.ts';

/** After `after` (not below 0) and up to `upTo`: of many rooms all that is in between is read, whatever the limit. */
export interface RoomsRange {
  readonly roomIds: readonly RoomId[];
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
}

/** The earliest first. */
export async function selectEventsOfRooms(
  database: Queryable,
  { roomIds, after, upTo, limit }: RoomsRange,
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id IN ${list('text', roomIds)} AND kind = 0
      AND position > ${Math.max(after, 0)} AND position <= ${upTo}
    ORDER BY position LIMIT ${limit}`);
  return found.map(fromStored);
}

/** The earliest first. */
export async function selectEventsOfRoom(
  database: Queryable,
  { roomId, after, upTo, limit }: Omit<RoomsRange, 'roomIds'> & { readonly roomId: RoomId },
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id = ${roomId} AND kind = 0
      AND position > ${Math.max(after, 0)} AND position <= ${upTo}
    ORDER BY position LIMIT ${limit}`);
  return found.map(fromStored);
}

/** Those that somebody else sent, the newest first. */
export async function selectEventsOfOthers(
  database: Queryable,
  { roomIds, after, upTo, limit, userId }: RoomsRange & { readonly userId: UserId },
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE room_id IN ${list('text', roomIds)} AND kind = 0 AND sender <> ${userId}
      AND position > ${Math.max(after, 0)} AND position <= ${upTo}
    ORDER BY position DESC LIMIT ${limit}`);
  return found.map(fromStored);
}
