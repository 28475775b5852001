// queryPublicRooms: pages of the published room directory, most members first, in both directions.

import { setImmediate } from 'node:timers/promises';
import type { PublicRoom, PublicRooms, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import {
  type Place,
  type PublishedRow,
  selectPublishedAfter,
  selectPublishedBefore,
  selectPublishedCount,
} from '../store/published.ts';
import { encodePageToken, fromBeginning, type PageToken, parsePageToken } from './page-token.ts';
import { type RoomFilter, roomFilter } from './room-filter.ts';
import type { RoomSummaries } from './room-summaries.ts';

type RoomsRequest = Parameters<RoomserverApi['queryPublicRooms']>[0];
interface Context extends Pick<RoomserverContext, 'database'> {
  readonly summaries: RoomSummaries;
}

/** Rooms looked at between two turns of the event loop, at first and at most. */
const FIRST_BATCH = 100;
const MAX_BATCH = 1000;

/** However much is asked for. */
const MAX_PAGE = 1000;

export async function queryPublicRooms(
  context: Context,
  request: RoomsRequest,
): Promise<PublicRooms> {
  const since = request.since === undefined ? undefined : parsePageToken(request.since);
  const limit = Math.min(Math.max(1, request.limit), MAX_PAGE);
  const search = {
    start: since ?? fromBeginning(),
    filter: roomFilter(request),
    wanted: limit + 1,
  };
  const found = await findRooms(context, search);
  const totalRoomCountEstimate = await selectPublishedCount(context.database);
  return { ...pageOf(found, { since, limit }), totalRoomCountEstimate };
}

interface Search {
  readonly start: PageToken;
  readonly filter: RoomFilter | undefined;
  readonly wanted: number;
}

/** The nearest first. */
async function findRooms(context: Context, search: Search): Promise<PublicRoom[]> {
  const { start, filter, wanted } = search;
  const select = start.direction === 'forward' ? selectPublishedAfter : selectPublishedBefore;
  const found: PublicRoom[] = [];
  let { place } = start;
  let size = filter === undefined ? wanted : FIRST_BATCH;
  for (;;) {
    const rows = await select(context.database, place, size);
    const rooms = await context.summaries.of(rows.map(sourceOf));
    found.push(...(filter === undefined ? rooms : rooms.filter(filter)));
    const last = rows.at(-1);
    if (last === undefined || rows.length < size || found.length >= wanted) break;
    place = { joinedMembers: last.joined_members, roomId: last.room_id };
    size = Math.min(size * 2, MAX_BATCH);
    await setImmediate();
  }
  return found.slice(0, wanted);
}

function sourceOf({ room_id, joined_members, current_state, visibility }: PublishedRow) {
  return {
    roomId: room_id,
    joinedMembers: joined_members,
    currentState: current_state,
    visibility,
  };
}

/** `found` has one room more than the page where the list goes on. */
function pageOf(
  found: readonly PublicRoom[],
  { since, limit }: { readonly since: PageToken | undefined; readonly limit: number },
): Omit<PublicRooms, 'totalRoomCountEstimate'> {
  const goesOn = found.length > limit;
  const isBackward = since?.direction === 'backward';
  const rooms = found.slice(0, limit);
  const chunk = isBackward ? rooms.reverse() : rooms;
  const hasNext = isBackward || goesOn;
  const hasPrevious = isBackward ? goesOn : since !== undefined;
  return {
    chunk,
    ...(hasNext && { nextBatch: encodePageToken('forward', placeOf(chunk.at(-1))) }),
    ...(hasPrevious && { prevBatch: encodePageToken('backward', placeOf(chunk[0])) }),
  };
}

function placeOf(room: PublicRoom | undefined): Place | undefined {
  return room && { joinedMembers: room.num_joined_members, roomId: room.room_id };
}
