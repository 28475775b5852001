// What `join`, `peek` and `leave` have in common: timeline, state and summary of a room.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StateEntry, StoredEvent } from '../../roomserver/api.ts';
import type { SyncFilter } from '../filter/sync-filter.ts';
import { type EventFormat, presentRows, presentState } from '../rooms/present-rows.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { selectHasMemberChange } from '../store/timeline.ts';
import { encodePaginationToken } from '../tokens.ts';
import { type Slice, selectSlice } from './slice.ts';
import { readable, startOf, stateEntries } from './state-entries.ts';
import { roomSummary, type Summary } from './summary.ts';
import type { SyncRequest } from './sync-request.ts';

export interface SectionRequest {
  readonly view: RoomView;
  /** Where the timeline begins (exclusive), 0 for no bound. */
  readonly after: number;
  /** The state that the device has; undefined: none. */
  readonly base: (() => Promise<StateSnapshotId | undefined>) | undefined;
  readonly withSummary: boolean;
  /** The timeline does not go on where the client's ends, if it has one. */
  readonly isDetached?: boolean;
}

export interface Section {
  readonly slice: Slice;
  readonly timeline: JsonObject;
  readonly state: readonly JsonObject[];
  readonly summary: JsonObject | undefined;
}

/** Whether there is anything to tell. A summary goes with something else, it is no news by itself. */
export function hasNews({ slice, state }: Section): boolean {
  return slice.shown.length > 0 || slice.limited || state.length > 0;
}

/** With the timeline found. */
interface SlicedRequest extends SectionRequest {
  readonly slice: Slice;
}

export async function roomSection(sync: SyncRequest, request: SectionRequest): Promise<Section> {
  const { context, filter } = sync;
  const { view, after } = request;
  const slice = await selectSlice(context, {
    view,
    after,
    limit: filter.timelineLimit,
    filter: filter.timeline,
  });
  const sliced = { ...request, slice };
  const summary = await summaryOf(sync, sliced);
  const format = formatOf(filter);
  // Of what follows on what the client has, it sums up for itself.
  const relations = slice.limited ? 'all' : undefined;
  const events = await presentRows(context, view, { rows: slice.shown, relations, ...format });
  const state = await stateOf(sync, sliced, summary?.heroes ?? []);
  return {
    slice,
    timeline: {
      events,
      limited: slice.limited || request.isDetached === true,
      prev_batch: prevBatch(view, slice),
    },
    state: presentState(context, view, { events: state, ...format }),
    summary: summary?.json,
  };
}

export function formatOf({ federationFormat, fields }: SyncFilter): EventFormat {
  return { withRoomId: false, federationFormat, fields };
}

function prevBatch({ upTo }: RoomView, { shown }: Slice): string {
  const first = shown[0];
  const position = first === undefined ? upTo : first.position - 1;
  return encodePaginationToken({ kind: 'stream', position });
}

const DECIDES_SUMMARY = new Set(['m.room.member', 'm.room.name', 'm.room.canonical_alias']);

/** With a whole state always; else only when it may have changed. */
async function summaryOf(
  { context }: SyncRequest,
  { view, after, base, withSummary, slice }: SlicedRequest,
): Promise<Summary | undefined> {
  if (!withSummary) return undefined;
  const isChanged =
    base === undefined ||
    slice.scanned.some(({ kind, type }) => kind !== 'event' || DECIDES_SUMMARY.has(type)) ||
    (slice.limited && (await selectHasMemberChange(context.database, { ...view, after })));
  return isChanged ? roomSummary(context, view) : undefined;
}

async function stateOf(
  sync: SyncRequest,
  request: SlicedRequest,
  heroes: readonly UserId[],
): Promise<StoredEvent[]> {
  const { context, filter, stateSection, lazy } = sync;
  const { roomId } = request.view;
  if (filter.state.passesNone || !filter.state.passesRoom(roomId)) return [];
  if (request.base === undefined) lazy.startAnew(roomId);
  const lazyLoadMembers = filter.state.lazyLoadMembers;
  const wanted = { ...request, after: stateSection !== 'state', lazyLoadMembers };
  const entries = await stateEntries(context, wanted);
  const ids = entries.map((entry) => entry.eventId);
  const events = new Map(ids.length === 0 ? [] : await context.events.get(ids));
  if (lazyLoadMembers) {
    for (const event of await neededMembers(sync, request, heroes))
      events.set(event.eventId, event);
    noteSent(sync, request, events.values());
  }
  return [...events.values()].filter(({ json }) =>
    filter.state.passes({
      type: json.type,
      sender: json.sender,
      containsUrl: typeof json.content.url === 'string',
    }),
  );
}

/** The member events of senders and heroes whom the device does not know, and with a whole state the user's own. */
async function neededMembers(
  { context, filter, lazy, stateSection, viewer }: SyncRequest,
  { view, slice, base }: SlicedRequest,
  heroes: readonly UserId[],
): Promise<StoredEvent[]> {
  const { roomId } = view;
  const needed = new Set([...slice.shown.map((row) => row.sender), ...heroes]);
  if (base === undefined) needed.add(viewer.userId);
  const known = filter.state.includeRedundantMembers ? new Set<UserId>() : lazy.known(roomId);
  const keys = [...needed]
    .filter((userId) => !known.has(userId))
    .map((stateKey) => ({ type: 'm.room.member', stateKey }));
  if (keys.length === 0) return [];
  const snapshot = stateSection === 'state' ? startOf({ view, slice }) : view.endState;
  const found = await context.roomserver.queryStateEvents({ roomId, snapshot, keys });
  const entries = found.map(({ json, eventId }) => ({
    type: json.type,
    stateKey: json.state_key ?? '',
    eventId,
  }));
  const shown = new Set((await readable(context, { view, slice }, entries)).map(idOf));
  return found.filter((event) => shown.has(event.eventId));
}

function idOf({ eventId }: StateEntry): EventId {
  return eventId;
}

function noteSent(
  { lazy }: SyncRequest,
  { view, slice }: SlicedRequest,
  state: Iterable<StoredEvent>,
): void {
  const inState = [...state].filter(({ json }) => json.type === 'm.room.member');
  const inTimeline = slice.shown.filter(({ type }) => type === 'm.room.member');
  lazy.sent(view.roomId, [
    ...inState.map(({ json }) => json.state_key as UserId),
    ...inTimeline.map((row) => row.stateKey as UserId),
  ]);
}
