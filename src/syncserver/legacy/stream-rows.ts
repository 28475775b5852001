// Events of rooms in /events, in order of arrival.

import type { EventId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { presentRows } from '../rooms/present-rows.ts';
import { membershipAt, type RoomView } from '../rooms/room-view.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import type { TimelineRow } from '../store/timeline.ts';
import { selectEventsOfRoom, selectEventsOfRooms } from '../store/timeline-of-rooms.ts';
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

/** Of many rooms no more positions of the log are searched at once. */
const WINDOW = 20_000;

export async function streamRows(stream: Stream): Promise<StreamRows> {
  const { rooms, limit } = stream;
  const { rows: all, cutAt } = await rowsOf(stream);
  const rows = all.slice(0, limit);
  const events: Placed[] = [];
  for (const [roomId, some] of Map.groupBy(rows, (row) => row.roomId)) {
    const room = rooms.get(roomId);
    if (room !== undefined) events.push(...(await presentIn(stream, room, some)));
  }
  events.sort((one, other) => one.position - other.position);
  return { events, cutAt: all.length > limit ? rows.at(-1)?.position : cutAt };
}

interface FoundRows {
  /** In order, at least one more than the limit when there are more. */
  readonly rows: readonly TimelineRow[];
  readonly cutAt: number | undefined;
}

async function rowsOf(stream: Stream): Promise<FoundRows> {
  const { context, since, rooms } = stream;
  const inMemory: TimelineRow[] = [];
  const elsewhere: StreamRoom[] = [];
  for (const [roomId, each] of rooms) {
    const room = context.live.room(roomId);
    if (room?.loaded && (room.latest?.position ?? 0) <= since.rooms) continue;
    const known = room?.rows(since.rooms, each.view.upTo);
    if (known === undefined) elsewhere.push(each);
    else inMemory.push(...known.filter((row) => row.kind === 'event'));
  }
  const { rows, cutAt = Number.POSITIVE_INFINITY } = await storedRows(stream, elsewhere);
  const all = [...inMemory, ...rows].filter((row) => row.position <= cutAt);
  all.sort((one, other) => one.position - other.position);
  return { rows: all, cutAt: cutAt === Number.POSITIVE_INFINITY ? undefined : cutAt };
}

async function storedRows(
  { context: { database }, since, limit }: Stream,
  rooms: readonly StreamRoom[],
): Promise<FoundRows> {
  const [first] = rooms;
  if (first === undefined) return { rows: [], cutAt: undefined };
  const upTo = Math.max(...rooms.map(({ view }) => view.upTo));
  const roomIds = rooms.map(({ view }) => view.roomId);
  const range = { after: since.rooms, upTo, limit: limit + 1 };
  if (rooms.length === 1) {
    const { roomId } = first.view;
    return { rows: await selectEventsOfRoom(database, { ...range, roomId }), cutAt: undefined };
  }
  const window = Math.min(upTo, since.rooms + WINDOW);
  const rows = await selectEventsOfRooms(database, { ...range, roomIds, upTo: window });
  return { rows, cutAt: window < upTo ? window : undefined };
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
