// The state that goes with a slice of a timeline: what the client must know to place it (`state`), or what it
// must know after it (`state_after`).

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import { type HistoryVisibility, isWorldReadable } from '../../protocol/visibility.ts';
import type { StateEntry, StateEntryChange } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { seesStateAt } from '../rooms/visible-rows.ts';
import type { TimelineRow } from '../store/timeline.ts';
import type { Slice } from './slice.ts';

export interface StateRequest {
  readonly view: RoomView;
  readonly slice: Slice;
  /** The state that the client has; undefined: none, so all of it is given. Asked only where the rows do not tell. */
  readonly base: (() => Promise<StateSnapshotId | undefined>) | undefined;
  /** At the end of the slice instead of its start (`use_state_after`). */
  readonly after: boolean;
  /** Leaves m.room.member out of a whole state; of changes all are given. */
  readonly lazyLoadMembers: boolean;
}

type Needs = Pick<SyncserverContext, 'roomserver' | 'events'>;
type Entries = Map<string, StateEntry>;

/** The state before the slice. */
export function startOf({ view, slice }: Pick<StateRequest, 'view' | 'slice'>): StateSnapshotId {
  return slice.shown[0]?.stateBefore ?? view.endState;
}

export async function stateEntries(
  context: Needs,
  request: StateRequest,
): Promise<readonly StateEntry[]> {
  const { base } = request;
  const found =
    base === undefined
      ? await wholeState(context, request)
      : await changedState(context, { ...request, base });
  return await readable(context, request, [...found.values()]);
}

async function wholeState(context: Needs, request: StateRequest): Promise<Entries> {
  const { view, after, lazyLoadMembers } = request;
  const snapshot = after ? view.endState : startOf(request);
  const whole = await context.roomserver.queryStateIds({
    roomId: view.roomId,
    snapshot,
    members: lazyLoadMembers ? 'none' : 'all',
  });
  const entries: Entries = new Map(whole.entries.map((entry) => [keyOf(entry), entry]));
  if (after) return entries;
  for (const entry of await notShown(context, request)) {
    if (!lazyLoadMembers || entry.type !== 'm.room.member') entries.set(keyOf(entry), entry);
  }
  return entries;
}

/**
 * What leads from the client's state to that at the end. Where the timeline shows how a key got its last value, it
 * is given the value at the start of the timeline; where it does not, the last one.
 */
async function changedState(
  context: Needs,
  request: StateRequest & { readonly base: () => Promise<StateSnapshotId | undefined> },
): Promise<Entries> {
  const { slice, after } = request;
  const steps = linearSteps(slice) ?? (await resolvedSteps(context, request));
  if (steps === undefined) return wholeState(context, request);
  const shown = new Set(after ? [] : slice.shown.map((row) => row.eventId));
  const atStart = new Map(steps.toStart.map((entry) => [keyOf(entry), entry]));
  const entries: Entries = new Map();
  for (const last of steps.toEnd) {
    const key = keyOf(last);
    const entry = shown.has(last.eventId) ? atStart.get(key) : last;
    if (entry !== undefined) entries.set(key, entry);
  }
  return entries;
}

/** Changes from the client's state to that at the start of the slice, and to that at its end. */
interface Steps {
  readonly toStart: readonly StateEntry[];
  readonly toEnd: readonly StateEntry[];
}

/** Where each row follows on the one before, the rows tell all. */
function linearSteps({ shown, scanned, limited }: Slice): Steps | undefined {
  if (limited || !scanned.every((row) => row.linear)) return undefined;
  const start = shown[0]?.position ?? Number.POSITIVE_INFINITY;
  return {
    toStart: changesOf(scanned.filter((row) => row.position < start)),
    toEnd: changesOf(scanned),
  };
}

/** Without a gap the client's state is that at the start, whatever branch the first event came from. */
async function resolvedSteps(
  context: Needs,
  request: StateRequest & { readonly base: () => Promise<StateSnapshotId | undefined> },
): Promise<Steps | undefined> {
  const { view, slice, after } = request;
  const base = await request.base();
  if (base === undefined) return undefined;
  const isStartNeeded = slice.limited && !after;
  return {
    toStart: isStartNeeded ? await delta(context, view, { from: base, to: startOf(request) }) : [],
    toEnd: await delta(context, view, { from: base, to: view.endState }),
  };
}

/** What changes from the start of the slice to its end without an event that is shown. */
async function notShown(context: Needs, request: StateRequest): Promise<StateEntry[]> {
  const { view, slice } = request;
  const shown = new Set(slice.shown.map((row) => row.eventId));
  const rows = sinceStart(slice);
  const changes = rows.every((row) => row.linear)
    ? changesOf(rows)
    : await delta(context, view, { from: startOf(request), to: view.endState });
  return changes.filter((entry) => !shown.has(entry.eventId));
}

/** All rows from the first that is shown; when none is, those that were looked at: they end at `endState`. */
function sinceStart({ shown, scanned, limited }: Slice): readonly TimelineRow[] {
  const [first] = shown;
  if (first !== undefined) return scanned.filter((row) => row.position >= first.position);
  return limited ? [] : scanned;
}

/** What linear rows change, the last for each key. */
function changesOf(rows: readonly TimelineRow[]): StateEntry[] {
  const entries: Entries = new Map();
  for (const { type, stateKey, eventId, stateBefore, currentState } of rows) {
    if (stateKey === undefined || stateBefore === currentState) continue;
    const entry = { type, stateKey, eventId };
    entries.set(keyOf(entry), entry);
  }
  return [...entries.values()];
}

interface Step {
  readonly from: StateSnapshotId;
  readonly to: StateSnapshotId;
}

async function delta(context: Needs, view: RoomView, step: Step): Promise<StateEntry[]> {
  return (await changes(context, view, step)).flatMap(toEntry);
}

async function changes(
  { roomserver }: Needs,
  { roomId }: RoomView,
  { from, to }: Step,
): Promise<StateEntryChange[]> {
  if (from === to) return [];
  return (await roomserver.queryStateDelta({ roomId, from, to })).changes;
}

function toEntry({ type, stateKey, to }: StateEntryChange): StateEntry[] {
  return to === undefined ? [] : [{ type, stateKey, eventId: to }];
}

/**
 * To those outside, superseded state shows only where it was world-readable itself; current state always does. As well to
 * members whose timeline begins with what they see as current state only: there, where it was not for members alone.
 */
export async function readable(
  context: Needs,
  request: Pick<StateRequest, 'view' | 'slice'>,
  entries: readonly StateEntry[],
): Promise<readonly StateEntry[]> {
  const { view } = request;
  if (entries.length === 0 || (await seesStart(context, request))) return entries;
  const later = await changes(context, view, { from: startOf(request), to: view.endState });
  const superseded = new Set<EventId>(later.flatMap(({ from }) => from ?? []));
  const doubtful = entries.filter(({ eventId }) => superseded.has(eventId));
  if (doubtful.length === 0) return entries;
  const events = await context.events.get(doubtful.map(({ eventId }) => eventId));
  const hidden = new Set(
    doubtful
      .map(({ eventId }) => eventId)
      .filter((id) => !isOpenTo(view, events.get(id)?.visibilityAtEvent)),
  );
  return entries.filter(({ eventId }) => !hidden.has(eventId));
}

async function seesStart(
  context: Needs,
  { view, slice: { shown } }: Pick<StateRequest, 'view' | 'slice'>,
): Promise<boolean> {
  const [first] = shown;
  return !view.isLooker && (first === undefined || (await seesStateAt(context, view, first)));
}

function isOpenTo({ isLooker }: RoomView, visibility: HistoryVisibility | undefined): boolean {
  return isWorldReadable(visibility) || (!isLooker && visibility === 'shared');
}

function keyOf({ type, stateKey }: { readonly type: string; readonly stateKey: string }): string {
  return `${type}\0${stateKey}`;
}
