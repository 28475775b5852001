// What `join`, `peek` and `leave` have in common: timeline, state and summary of a room.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import { presentRows, presentState } from '../rooms/present-rows.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { selectHasMemberChange } from '../store/timeline.ts';
import { encodePaginationToken } from '../tokens.ts';
import { type Slice, selectSlice } from './slice.ts';
import { startOf, stateEntries } from './state-entries.ts';
import { roomSummary, type Summary } from './summary.ts';
import type { SyncRequest } from './sync-request.ts';

export interface SectionRequest {
  readonly view: RoomView;
  /** Where the timeline begins (exclusive), 0 for no bound. */
  readonly after: number;
  /** The state that the device has; undefined: none. */
  readonly base: (() => Promise<StateSnapshotId | undefined>) | undefined;
  readonly withSummary: boolean;
}

export interface Section {
  readonly slice: Slice;
  readonly timeline: JsonObject;
  readonly state: readonly JsonObject[];
  readonly summary: JsonObject | undefined;
}

/** Whether there is anything to tell. */
export function hasNews({ slice, state, summary }: Section): boolean {
  return slice.shown.length > 0 || slice.limited || state.length > 0 || summary !== undefined;
}

export async function roomSection(sync: SyncRequest, request: SectionRequest): Promise<Section> {
  const { context, filter } = sync;
  const { view } = request;
  const slice = await selectSlice(context, {
    view,
    after: request.after,
    limit: filter.timelineLimit,
    filter: filter.timeline,
  });
  const summary = await summaryOf(sync, request, slice);
  const format = {
    withRoomId: false,
    federationFormat: filter.federationFormat,
    fields: filter.fields,
  };
  const events = await presentRows(context, view, slice.shown, format);
  const state = await stateOf(sync, request, slice, summary?.heroes ?? []);
  return {
    slice,
    timeline: { events, limited: slice.limited, prev_batch: prevBatch(view, slice) },
    state: presentState(context, view, state, format),
    summary: summary?.json,
  };
}

/** The key under which state stands in a response. */
export function stateKey({ useStateAfter }: SyncRequest): 'state' | 'state_after' {
  return useStateAfter ? 'state_after' : 'state';
}

function prevBatch({ upTo }: RoomView, { shown }: Slice): string {
  const first = shown[0];
  const position = first === undefined ? upTo : first.position - 1;
  return encodePaginationToken({ kind: 'stream', position });
}

/** With a whole state always; else only when it may have changed. */
async function summaryOf(
  { context }: SyncRequest,
  { view, after, base, withSummary }: SectionRequest,
  slice: Slice,
): Promise<Summary | undefined> {
  if (!withSummary) return undefined;
  const isChanged =
    base === undefined ||
    slice.scanned.some(({ kind, type }) => kind !== 'event' || DECIDES_SUMMARY.has(type)) ||
    (slice.limited && (await selectHasMemberChange(context.database, { ...view, after })));
  return isChanged ? roomSummary(context, view) : undefined;
}

const DECIDES_SUMMARY = new Set(['m.room.member', 'm.room.name', 'm.room.canonical_alias']);

async function stateOf(
  sync: SyncRequest,
  { view, base }: SectionRequest,
  slice: Slice,
  heroes: readonly UserId[],
): Promise<StoredEvent[]> {
  const { context, filter, useStateAfter, lazy } = sync;
  if (filter.state.passesNone || !filter.state.passesRoom(view.roomId)) return [];
  const isLazy = filter.state.lazyLoadMembers;
  const request = { view, slice, base, after: useStateAfter, lazyLoadMembers: isLazy };
  if (base === undefined) lazy.startAnew(view.roomId);
  const entries = await stateEntries(context, request);
  const found = await context.events.get(entries.map((entry) => entry.eventId));
  const events = new Map([...found.values()].map((event) => [event.eventId, event]));
  if (isLazy) {
    const needed = neededMembers(sync, view, slice, [
      ...heroes,
      ...(base ? [] : [view.viewer.userId]),
    ]);
    const snapshot = useStateAfter ? view.endState : startOf({ view, slice });
    for (const event of await membersAt(sync, view, snapshot, needed))
      events.set(event.eventId, event);
    noteSent(sync, view, slice, events.values());
  }
  return [...events.values()].filter(({ json }) =>
    filter.state.passes({
      type: json.type,
      sender: json.sender,
      containsUrl: typeof json.content.url === 'string',
    }),
  );
}

/** Senders and heroes whom the device does not know. */
function neededMembers(
  { filter, lazy }: SyncRequest,
  { roomId }: RoomView,
  { shown }: Slice,
  others: readonly UserId[],
): UserId[] {
  const needed = new Set([...shown.map((row) => row.sender), ...others]);
  if (filter.state.includeRedundantMembers) return [...needed];
  const known = lazy.known(roomId);
  return [...needed].filter((userId) => !known.has(userId));
}

async function membersAt(
  { context }: SyncRequest,
  { roomId }: RoomView,
  snapshot: StateSnapshotId,
  userIds: readonly UserId[],
): Promise<StoredEvent[]> {
  if (userIds.length === 0) return [];
  const keys = userIds.map((stateKey) => ({ type: 'm.room.member', stateKey }));
  return context.roomserver.queryStateEvents({ roomId, snapshot, keys });
}

function noteSent(
  { lazy }: SyncRequest,
  { roomId }: RoomView,
  { shown }: Slice,
  state: Iterable<StoredEvent>,
): void {
  const inState = [...state].filter(({ json }) => json.type === 'm.room.member');
  const inTimeline = shown.filter(({ type }) => type === 'm.room.member');
  lazy.sent(roomId, [
    ...inState.map(({ json }) => json.state_key as UserId),
    ...inTimeline.map((row) => row.stateKey as UserId),
  ]);
}
