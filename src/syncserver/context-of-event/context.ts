// GET /rooms/{roomId}/context/{eventId}: an event and what happened around it.

import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { compileEventFilter, type EventFilter } from '../filter/event-filter.ts';
import { viewRoom } from '../rooms/access.ts';
import { before } from '../rooms/points.ts';
import { presentRows, presentState } from '../rooms/present-rows.ts';
import { readPage } from '../rooms/read-page.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { findVisibleRow, noSuchEvent } from '../rooms/visible-row.ts';
import { seesStateAt } from '../rooms/visible-rows.ts';
import type { Point, TimelineRow } from '../store/timeline.ts';
import { encodePaginationToken } from '../tokens.ts';

const MAX_LIMIT = 1000;

export interface ContextRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly limit: number;
  readonly filter: JsonObject;
}

/** Errors: M_FORBIDDEN, M_NOT_FOUND also when the viewer may not see the event. */
export async function contextOfEvent(
  context: SyncserverContext,
  request: ContextRequest,
): Promise<JsonObject> {
  const view = await viewRoom(context, request);
  const row = await findVisibleRow(context, view, request.eventId);
  const filter = compileEventFilter(request.filter);
  const limit = Math.min(
    Math.max(Math.trunc(request.limit), 0),
    filter.limit ?? MAX_LIMIT,
    MAX_LIMIT,
  );
  const half = Math.floor(limit / 2);
  const around = { view, filter, to: undefined };
  const earlier = await readPage(context, {
    ...around,
    isBackwards: true,
    from: before(row),
    limit: half,
  });
  const later = await readPage(context, {
    ...around,
    isBackwards: false,
    from: row,
    limit: limit - half,
  });
  const rows = [...earlier.rows, row, ...later.rows];
  const shown = await presentRows(context, view, { rows, withRoomId: true, relations: 'all' });
  const byId = new Map(shown.map((event) => [event.event_id as EventId, event]));
  const pick = (some: readonly TimelineRow[]): JsonObject[] =>
    some.map(({ eventId }) => byId.get(eventId)).filter((found) => found !== undefined);
  return {
    start: token(earlier.end ?? before(earlier.rows.at(-1) ?? row)),
    end: token(later.end ?? row),
    events_before: pick(earlier.rows),
    event: byId.get(row.eventId) ?? noSuchEvent(),
    events_after: pick(later.rows),
    state: await stateAround(context, view, { rows, filter, last: later.rows.at(-1) ?? row }),
  };
}

function token({ depth, position }: Point): string {
  return encodePaginationToken({ kind: 'topological', depth, position });
}

interface Around {
  readonly rows: readonly TimelineRow[];
  readonly filter: EventFilter;
  readonly last: TimelineRow;
}

/** The room's state at the last event, or the current one where the viewer may know no other. */
async function stateAround(
  context: SyncserverContext,
  view: RoomView,
  { rows, filter, last }: Around,
): Promise<JsonObject[]> {
  const { roomserver, events } = context;
  const { roomId } = view;
  const snapshot = (await seesStateAt(context, view, last)) ? last.stateBefore : view.endState;
  const members = filter.lazyLoadMembers ? 'none' : 'all';
  const { entries } = await roomserver.queryStateIds({ roomId, snapshot, members });
  const found = [...(await events.get(entries.map((entry) => entry.eventId))).values()];
  if (filter.lazyLoadMembers) {
    const senders = new Set(rows.map((row) => row.sender));
    const keys = [...senders].map((stateKey) => ({ type: 'm.room.member', stateKey }));
    found.push(...(await roomserver.queryStateEvents({ roomId, snapshot, keys })));
  }
  const own = view.isLooker ? undefined : await stateEventOf(context, last);
  const state =
    own === undefined ? found : [...found.filter((event) => !isSameKey(event, own)), own];
  const wanted = state.filter(({ json: { type, sender, content } }) =>
    filter.passes({ type, sender, containsUrl: typeof content.url === 'string' }),
  );
  return presentState(context, view, { events: wanted, withRoomId: true });
}

async function stateEventOf(
  { events }: SyncserverContext,
  { eventId, stateKey }: TimelineRow,
): Promise<StoredEvent | undefined> {
  return stateKey === undefined ? undefined : events.one(eventId);
}

function isSameKey({ json: one }: StoredEvent, { json: other }: StoredEvent): boolean {
  return one.type === other.type && one.state_key === other.state_key;
}
