// `rooms.leave`: rooms that the user has left, was kicked or banned from, or whose invite has ended.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { wasActiveAt } from '../peeks/peek-state.ts';
import { presentRows } from '../rooms/present-rows.ts';
import { lastJoin, membershipAt, type RoomView } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import type { Membership } from '../store/memberships.ts';
import type { Peek } from '../store/peeks.ts';
import { selectRowsOfEvents } from '../store/timeline.ts';
import { encodePaginationToken } from '../tokens.ts';
import { roomAccountData } from './account-data.ts';
import { peekedRoom } from './peeked.ts';
import { formatOf, roomSection } from './section.ts';
import type { SyncRequest } from './sync-request.ts';

/** Undefined when there is nothing to tell. `peeks`: those of the device into the room, all ended. */
export async function leftRoom(
  sync: SyncRequest,
  history: readonly Membership[],
  peeks: readonly Peek[],
): Promise<JsonObject | undefined> {
  const { since, now, fullState, filter } = sync;
  const last = membershipAt(history, now.rooms);
  if (last === undefined || last.forgotten) return undefined;
  const join = lastJoin(history, now.rooms);
  const isNews = since !== undefined && last.position > since.rooms;
  if (!isNews) {
    const isArchive = since === undefined || fullState;
    if (!isArchive || !filter.includeLeave || join === undefined) return undefined;
    return archivedRoom(sync, history, last);
  }
  // Has she been a member since the device last heard?
  if (join !== undefined && join.until > since.rooms) return archivedRoom(sync, history, last);
  const own = await farewell(sync, history, last);
  const peeked = await peekedRoom(sync, last.roomId, peeks);
  const isWithin = last.position <= (peeks.at(-1)?.endedPosition ?? 0);
  return peeked === undefined ? own : bothEnds(own, peeked.json, isWithin);
}

/** The end of a peek, and what was done to the user's membership: within what the peek shows, or after it. */
function bothEnds(own: JsonObject, peeked: JsonObject, isWithin: boolean): JsonObject {
  const { timeline } = peeked;
  if (!isJsonObject(timeline)) return own;
  if (isWithin) return { ...own, ...peeked };
  const events = [timeline, own.timeline].flatMap((part) => (part as Timeline).events);
  return { ...own, ...peeked, timeline: { ...timeline, events } };
}

interface Timeline extends JsonObject {
  readonly events: readonly JsonObject[];
}

/** What she could see while she was there. */
async function archivedRoom(
  sync: SyncRequest,
  history: readonly Membership[],
  last: Membership,
): Promise<JsonObject | undefined> {
  const { context, since, fullState } = sync;
  const { roomId } = last;
  const view = await viewOf(sync, history, last);
  if (view === undefined) return undefined;
  const join = lastJoin(history, last.position);
  const isContinued =
    since !== undefined &&
    last.position > since.rooms &&
    ((join !== undefined && join.from <= since.rooms) || wasShownAsPeek(sync, roomId));
  const section = await roomSection(sync, {
    view,
    after: isContinued ? since.rooms : 0,
    base: isContinued && !fullState ? () => stateAt(context, roomId, since.rooms) : undefined,
    withSummary: false,
  });
  return {
    [sync.stateSection]: { events: section.state },
    timeline: section.timeline,
    account_data: { events: await roomAccountData(sync, roomId, !isContinued) },
  };
}

/** Who was never in the room, or had left it before, is told of her own membership only. */
async function farewell(
  sync: SyncRequest,
  history: readonly Membership[],
  last: Membership,
): Promise<JsonObject> {
  const view = await viewOf(sync, history, last);
  const own = view === undefined ? [] : await ownEvent(sync, view, last);
  const events = own.length > 0 ? own : endOfInvite(sync, last);
  const prevBatch = encodePaginationToken({ kind: 'stream', position: last.position - 1 });
  return {
    [sync.stateSection]: { events: [] },
    timeline: { events, limited: false, prev_batch: prevBatch },
    account_data: { events: [] },
  };
}

/** In a room in which this server is not. */
function endOfInvite({ filter }: SyncRequest, { strippedState = [] }: Membership): JsonObject[] {
  return strippedState.filter(({ type, sender }) =>
    filter.timeline.passes({
      type: type as string,
      sender: sender as UserId,
      containsUrl: false,
    }),
  );
}

async function ownEvent(
  { context, filter }: SyncRequest,
  view: RoomView,
  { eventId }: Membership,
): Promise<JsonObject[]> {
  const rows = await selectRowsOfEvents(context.database, [eventId]);
  const passing = rows.filter((row) => filter.timeline.passes(row));
  return presentRows(context, view, {
    rows: await visibleRows(context, view, passing),
    ...formatOf(filter),
  });
}

/** Up to her own leaving, or what was done to her afterwards; the state is that in which she left. */
async function viewOf(
  { context, viewer, ignored }: SyncRequest,
  history: readonly Membership[],
  last: Membership,
): Promise<RoomView | undefined> {
  const { roomId } = last;
  const left = lastJoin(history, last.position)?.until ?? last.position;
  const endState = await stateAt(context, roomId, left);
  if (endState === undefined) return undefined;
  return { viewer, roomId, isLooker: false, history, upTo: last.position, endState, ignored };
}

function wasShownAsPeek({ device, since }: SyncRequest, roomId: RoomId): boolean {
  return (
    since !== undefined &&
    device.peeks.some(
      (peek) => peek.via === 'sync' && peek.roomId === roomId && wasActiveAt(peek, since),
    )
  );
}
