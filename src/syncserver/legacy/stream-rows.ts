// Events of rooms in /events, in order of arrival.

import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { presentRows } from '../rooms/present-rows.ts';
import { membershipAt, type RoomView } from '../rooms/room-view.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import type { TimelineRow } from '../store/timeline.ts';
import { selectEventsOfRooms } from '../store/timeline-of-rooms.ts';
import { withUserId } from './legacy-events.ts';
import type { Stream, StreamRoom } from './stream.ts';

export interface Placed {
  readonly position: number;
  readonly event: JsonObject;
}

export interface StreamRows {
  /** In order. */
  readonly events: readonly Placed[];
  /** Up to here nothing is missing; undefined: up to the stream's end. */
  readonly cutAt: number | undefined;
}

export async function streamRows(stream: Stream): Promise<StreamRows> {
  const { rooms, limit } = stream;
  const all = await rowsOf(stream);
  const rows = all.slice(0, limit);
  const events: Placed[] = [];
  for (const [roomId, some] of Map.groupBy(rows, (row) => row.roomId)) {
    const room = rooms.get(roomId);
    if (room !== undefined) events.push(...(await presentIn(stream, room, some)));
  }
  events.sort((one, other) => one.position - other.position);
  return { events, cutAt: all.length > limit ? rows.at(-1)?.position : undefined };
}

/** At least one more than the limit when there are more. */
async function rowsOf({ context, since, rooms, limit }: Stream): Promise<TimelineRow[]> {
  const rows: TimelineRow[] = [];
  const elsewhere: RoomId[] = [];
  let upTo = 0;
  for (const [roomId, { view }] of rooms) {
    const room = context.live.room(roomId);
    if (room?.loaded && (room.latest?.position ?? 0) <= since.rooms) continue;
    const inMemory = room?.rows(since.rooms, view.upTo);
    if (inMemory !== undefined) rows.push(...inMemory.filter((row) => row.kind === 'event'));
    else elsewhere.push(roomId);
    upTo = Math.max(upTo, view.upTo);
  }
  if (elsewhere.length > 0) {
    const range = { after: since.rooms, upTo, limit: limit + 1 };
    const found = await selectEventsOfRooms(context.database, { roomIds: elsewhere, ...range });
    rows.push(...found);
  }
  return rows.sort((one, other) => one.position - other.position);
}

async function presentIn(
  { context }: Stream,
  { view: { upTo, ...place }, whileJoined }: StreamRoom,
  rows: readonly TimelineRow[],
): Promise<Placed[]> {
  const inReach = rows.filter((row) => row.position <= upTo);
  const last = inReach.at(-1);
  if (last === undefined) return [];
  const view: RoomView = { ...place, upTo, endState: last.currentState };
  const wanted = whileJoined ? inReach.filter((row) => concerns(view, row)) : inReach;
  const visible = await visibleRows(context, view, wanted);
  const shown = await presentRows(context, view, { rows: visible, withRoomId: true });
  const places = new Map(visible.map((row) => [row.eventId, row.position]));
  return shown.map((event) => ({
    position: places.get(event.event_id as EventId) ?? 0,
    event: withUserId(event),
  }));
}

/** What happened while the user was there, and her coming and going. */
function concerns({ history, viewer }: RoomView, row: TimelineRow): boolean {
  if (row.type === 'm.room.member' && row.stateKey === viewer.userId) return true;
  const wasJoined = membershipAt(history, row.position - 1)?.membership === 'join';
  return wasJoined || membershipAt(history, row.position)?.membership === 'join';
}
