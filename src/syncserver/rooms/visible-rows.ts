// Which rows of a timeline a viewer may see: history visibility, event by event.

import type { EventId } from '../../protocol/identifiers.ts';
import { canSeeEvent } from '../../protocol/visibility.ts';
import type { SyncserverContext } from '../context.ts';
import type { TimelineRow } from '../store/timeline.ts';
import { lastJoin, membershipAt, type RoomView } from './room-view.ts';

type Needs = Pick<SyncserverContext, 'roomserver' | 'events'>;

/** Keeps the order. */
export async function visibleRows(
  context: Needs,
  view: RoomView,
  rows: readonly TimelineRow[],
): Promise<TimelineRow[]> {
  const shown = rows.filter((row) => !isIgnored(view, row));
  const unsure = view.isLooker ? [] : shown.filter(isUnsure);
  const memberships = unsure.length === 0 ? NONE : await exactMemberships(context, view, unsure);
  const join = lastJoin(view.history, view.upTo);
  return shown.filter((row) =>
    canSeeEvent({
      visibility: row.visibility,
      membership: memberships.has(row) ? memberships.get(row) : membershipBefore(view, row),
      membershipAfter: ownMembershipAfter(view, row),
      joinedLater: join !== undefined && row.position < join.until,
    }),
  );
}

/**
 * As visibleRows, and besides state events that belong to `endState`: the viewer is given that state anyway, and
 * expects to find how it came about in the timeline.
 */
export async function visibleOrCurrentRows(
  context: Needs,
  view: RoomView,
  rows: readonly TimelineRow[],
): Promise<TimelineRow[]> {
  const visible = await visibleRows(context, view, rows);
  if (visible.length === rows.length) return visible;
  const seen = new Set(visible);
  const hidden = rows.filter((row) => !seen.has(row) && row.stateKey !== undefined);
  for (const row of await current(context, view, hidden)) seen.add(row);
  return rows.filter((row) => seen.has(row));
}

/** Whether the viewer may know what the room's state was there: who sees a row as current state only may not. */
export async function seesStateAt(
  context: Needs,
  view: RoomView,
  row: TimelineRow,
): Promise<boolean> {
  if (view.isLooker) return false;
  return (await visibleRows(context, { ...view, ignored: NOBODY }, [row])).length > 0;
}

const NOBODY: RoomView['ignored'] = new Set();

/** State events are not ignored: the room would look different. */
function isIgnored({ ignored, viewer }: RoomView, row: TimelineRow): boolean {
  return row.stateKey === undefined && ignored.has(row.sender) && row.sender !== viewer.userId;
}

function membershipBefore({ history }: RoomView, row: TimelineRow): string | undefined {
  return membershipAt(history, row.position - 1)?.membership;
}

/** Only for the viewer's own member events. */
function ownMembershipAfter({ history, viewer }: RoomView, row: TimelineRow): string | undefined {
  if (row.type !== 'm.room.member' || row.stateKey !== viewer.userId) return undefined;
  return membershipAt(history, row.position)?.membership;
}

type Memberships = ReadonlyMap<TimelineRow, string | undefined>;
const NONE: Memberships = new Map();

/** Order of arrival does not tell the membership before the row: in branches of the event graph, and in backfilled history. */
function isUnsure({ visibility, linear }: TimelineRow): boolean {
  return !linear && (visibility === 'joined' || visibility === 'invited');
}

/** The viewer's membership in the state before each row. */
async function exactMemberships(
  context: Needs,
  view: RoomView,
  unsure: readonly TimelineRow[],
): Promise<Memberships> {
  const eventIds = await context.roomserver.queryStateAcross({
    roomId: view.roomId,
    snapshots: unsure.map((row) => row.stateBefore),
    type: 'm.room.member',
    stateKey: view.viewer.userId,
  });
  const memberships = await membershipsOf(context, view, eventIds);
  return new Map(
    unsure.map((row, index) => {
      const eventId = eventIds[index];
      return [row, eventId === undefined ? undefined : memberships.get(eventId)];
    }),
  );
}

async function membershipsOf(
  { events }: Needs,
  { history }: RoomView,
  eventIds: readonly (EventId | undefined)[],
): Promise<ReadonlyMap<EventId, string>> {
  const known = new Map(history.map(({ eventId, membership }) => [eventId, membership]));
  const unknown = eventIds.filter((id) => id !== undefined && !known.has(id)) as EventId[];
  for (const [eventId, { json }] of await events.get(unknown)) {
    if (typeof json.content.membership === 'string') known.set(eventId, json.content.membership);
  }
  return known;
}

/** Those of the rows that hold their key in `endState`. */
async function current(
  { roomserver }: Needs,
  { roomId, endState, history, isLooker, upTo }: RoomView,
  rows: readonly TimelineRow[],
): Promise<TimelineRow[]> {
  // Who was only invited is not given the state of the room.
  if (rows.length === 0 || (!isLooker && lastJoin(history, upTo) === undefined)) return [];
  const keys = rows.map((row) => ({ type: row.type, stateKey: row.stateKey ?? '' }));
  const holding = await roomserver.queryStateEvents({ roomId, snapshot: endState, keys });
  const ids = new Set<EventId>(holding.map((event) => event.eventId));
  return rows.filter((row) => ids.has(row.eventId));
}
