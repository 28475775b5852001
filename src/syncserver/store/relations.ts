// Events by what they relate to. Rooms are compared in a way that keeps SQLite from reading the whole room instead
// of the few events that have a relation to one.

import type { Queryable } from '../../database/database.ts';
import { list, rows, sql } from '../../database/sql.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import { fromStored, type Point, type StoredRow, type TimelineRow } from './timeline.ts';

/** Which children of `eventId`, and children of those, up to `maxHops` relations away. */
export interface Kinship {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  /** '' for any, here and in between. */
  readonly relType: string;
  /** '' for any, here and in between. */
  readonly eventType: string;
  readonly maxHops: number;
}

/** What lies after one point, and at or before another. */
export interface Stretch {
  readonly after: Point;
  readonly last: Point;
  /** Live rows only as far as this. */
  readonly upTo: number;
  readonly latestFirst: boolean;
  readonly limit: number;
}

export async function selectRelated(
  database: Queryable,
  { roomId, eventId, relType, eventType, maxHops }: Kinship,
  { after, last, upTo, latestFirst, limit }: Stretch,
): Promise<TimelineRow[]> {
  const sign = latestFirst ? -1 : 1;
  const found = await database.all<StoredRow>(sql`
    WITH RECURSIVE related (event_id, hops) AS (
      SELECT event_id, 1 FROM syncapi_timeline
      WHERE relates_to = ${eventId} AND room_id || '' = ${roomId}
        AND (${relType} = '' OR rel_type = ${relType})
        AND (${eventType} = '' OR type = ${eventType})
      UNION
      SELECT t.event_id, related.hops + 1
      FROM related CROSS JOIN syncapi_timeline t
      WHERE t.relates_to = related.event_id AND related.hops < ${maxHops}
        AND t.room_id || '' = ${roomId}
        AND (${relType} = '' OR t.rel_type = ${relType})
        AND (${eventType} = '' OR t.type = ${eventType}))
    SELECT * FROM syncapi_timeline
    WHERE event_id IN (SELECT event_id FROM related) AND event_id <> ${eventId}
      AND position <= ${upTo}
      AND depth >= ${after.depth} AND (depth > ${after.depth} OR position > ${after.position})
      AND depth <= ${last.depth} AND (depth < ${last.depth} OR position <= ${last.position})
    ORDER BY depth * ${sign}, position * ${sign} LIMIT ${limit}`);
  return found.map(fromStored);
}

export interface RelationCount {
  readonly parent: EventId;
  readonly relType: string;
  readonly count: number;
  /** Whether the viewer sent one of them. */
  readonly hasOwn: boolean;
}

/** What relates to each of the events in a way that is summed up, without what the viewer never sees. */
export async function selectRelationCounts(
  database: Queryable,
  of: {
    readonly roomId: RoomId;
    readonly parents: readonly EventId[];
    readonly viewer: UserId;
    readonly ignored: readonly UserId[];
    readonly worldReadableOnly: boolean;
    readonly upTo: number;
  },
): Promise<RelationCount[]> {
  const parents = of.parents.map((parent) => ({ parent }));
  const found = await database.all<{
    relates_to: string;
    rel_type: string;
    count: number;
    own: number;
  }>(sql`
    SELECT t.relates_to, t.rel_type, COUNT(*) AS count,
      MAX(CASE WHEN t.sender = ${of.viewer} THEN 1 ELSE 0 END) AS own
    FROM ${rows({ parent: 'text' }, parents)} CROSS JOIN syncapi_timeline t
    WHERE t.relates_to = r.parent AND t.room_id || '' = ${of.roomId}
      AND t.rel_type IN ('m.thread', 'm.replace', 'm.reference')
      AND t.position <= ${of.upTo} AND t.sender NOT IN ${list('text', of.ignored)}
      AND (t.visibility = 'world_readable' OR ${of.worldReadableOnly ? 1 : 0} = 0)
    GROUP BY t.relates_to, t.rel_type`);
  return found.map((row) => ({
    parent: row.relates_to as EventId,
    relType: row.rel_type,
    count: row.count,
    hasOwn: row.own === 1,
  }));
}

/** Events that may replace one of that sender and type, the newest first. */
export async function selectReplacements(
  database: Queryable,
  of: {
    readonly roomId: RoomId;
    readonly eventId: EventId;
    readonly sender: UserId;
    readonly type: string;
    readonly upTo: number;
    readonly limit: number;
  },
): Promise<TimelineRow[]> {
  const found = await database.all<StoredRow>(sql`
    SELECT * FROM syncapi_timeline
    WHERE relates_to = ${of.eventId} AND room_id || '' = ${of.roomId} AND rel_type = 'm.replace'
      AND sender = ${of.sender} AND type = ${of.type} AND state_key IS NULL
      AND position <= ${of.upTo}
    ORDER BY depth DESC, position DESC LIMIT ${of.limit}`);
  return found.map(fromStored);
}
