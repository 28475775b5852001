// `rooms.leave`: rooms that the user has left, was kicked or banned from, or whose invite has ended.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { wasActiveAt } from '../peeks/peek-state.ts';
import { presentRows } from '../rooms/present-rows.ts';
import { lastJoin, membershipAt, type RoomView } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import type { Membership } from '../store/memberships.ts';
import { selectRowsOfEvents } from '../store/timeline.ts';
import { encodePaginationToken } from '../tokens.ts';
import { roomAccountData } from './account-data.ts';
import { roomSection, stateKey } from './section.ts';
import type { SyncRequest } from './sync-request.ts';

/** Undefined when there is nothing to tell. */
export async function leftRoom(
  sync: SyncRequest,
  roomId: RoomId,
  history: readonly Membership[],
): Promise<JsonObject | undefined> {
  const { since, now, fullState, filter } = sync;
  const last = membershipAt(history, now.rooms);
  if (last === undefined || last.forgotten) return undefined;
  const join = lastJoin(history, now.rooms);
  const isNews = since !== undefined && last.position > since.rooms;
  if (!isNews) {
    const isArchive = since === undefined || fullState;
    if (!isArchive || !filter.includeLeave || join === undefined) return undefined;
    return archivedRoom(sync, roomId, history, last);
  }
  // Has she been a member since the device last heard?
  if (join === undefined || join.until <= since.rooms) return farewell(sync, roomId, history, last);
  return archivedRoom(sync, roomId, history, last);
}

/** What she could see while she was there. */
async function archivedRoom(
  sync: SyncRequest,
  roomId: RoomId,
  history: readonly Membership[],
  last: Membership,
): Promise<JsonObject | undefined> {
  const { context, since, fullState } = sync;
  const view = await viewOf(sync, roomId, history, last);
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
    [stateKey(sync)]: { events: section.state },
    timeline: section.timeline,
    account_data: { events: await roomAccountData(sync, roomId, !isContinued) },
  };
}

/** Who was never in the room, or had left it before, is told of her own membership only. */
async function farewell(
  sync: SyncRequest,
  roomId: RoomId,
  history: readonly Membership[],
  last: Membership,
): Promise<JsonObject> {
  const { context, filter } = sync;
  const view = await viewOf(sync, roomId, history, last);
  const rows = view === undefined ? [] : await selectRowsOfEvents(context.database, [last.eventId]);
  const shown =
    view === undefined
      ? []
      : await visibleRows(
          context,
          view,
          rows.filter((row) => filter.timeline.passes(row)),
          {
            withCurrentState: false,
          },
        );
  const format = {
    withRoomId: false,
    federationFormat: filter.federationFormat,
    fields: filter.fields,
  };
  const events = view === undefined ? [] : await presentRows(context, view, shown, format);
  const prevBatch = encodePaginationToken({ kind: 'stream', position: last.position - 1 });
  return {
    [stateKey(sync)]: { events: [] },
    timeline: { events, limited: false, prev_batch: prevBatch },
    account_data: { events: [] },
  };
}

/** Up to her own leaving, or what was done to her afterwards; the state is that in which she left. */
async function viewOf(
  { context, viewer, ignored }: SyncRequest,
  roomId: RoomId,
  history: readonly Membership[],
  last: Membership,
): Promise<RoomView | undefined> {
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
