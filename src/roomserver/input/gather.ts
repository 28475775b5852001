// Before the lock: brings what events refer to and what is not here, as far as others have it.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { hasKeyTwice, storeSnapshot } from '../state/store-snapshot.ts';
import { checkEvents } from './check-event.ts';
import { type CheckedEvent, isChecked } from './checked-event.ts';
import { isGone } from './lacking-members.ts';
import { isMember, leftOutOf } from './left-out.ts';
import type { StateBeforeRequest } from './missing-events.ts';
import { storeOutliers } from './outliers.ts';

/** Auth chains are followed this many rounds. */
const MAX_AUTH_ROUNDS = 10;

export interface Gathering {
  readonly head: RoomHead;
  readonly origin: ServerName;
  readonly events: readonly CheckedEvent[];
  /** Until when others are asked for what is missing, in ms since the epoch. */
  readonly endsAt: number;
  /**
   * What lacks a past that may yet be had is dropped, to come again: taken by the state before it, it would leave a hole
   * in history that a connection which has just broken does not warrant. `new`: also what came without its past, of
   * which its sender gave nothing.
   */
  readonly patience?: 'new' | 'early' | undefined;
  /** Their sender does not know them itself yet. */
  readonly isUnsent?: boolean;
}

export interface Gathered {
  /** Those given and those of the gap before them: to be received in order of references. */
  readonly events: readonly CheckedEvent[];
  /** More of the gap may be had when it is asked for again. */
  readonly mayGrow: boolean;
}

export async function gatherPrevEvents(
  context: RoomserverContext,
  { head, origin, events, endsAt, isUnsent = false }: Gathering,
): Promise<Gathered> {
  const wanted = referredTo(events, ({ pdu }) => pdu.prevEvents, events);
  for (const { eventId } of head.extremities) wanted.delete(eventId);
  const missing = await withoutPlace(context, wanted);
  if (missing.length === 0) return { events, mayGrow: false };
  const gap = await context.missingEvents.gap({
    roomId: head.roomId,
    origin,
    eventIds: missing,
    references: new Map(events.map(({ pdu }) => [pdu.eventId, pdu.prevEvents])),
    knownExtremities: head.extremities.map(({ eventId }) => eventId),
    isUnsent,
    endsAt,
  });
  const given = new Set(events.map(({ pdu }) => pdu.eventId));
  const checked = await checkAll(context, { head, origin }, gap.events);
  const others = checked.filter(({ pdu }) => !given.has(pdu.eventId));
  return { events: [...others, ...events], mayGrow: !gap.isFinal };
}

/** Stores the auth events that are missing, and theirs, as outliers. */
export async function gatherAuthEvents(
  context: RoomserverContext,
  { head, origin, events, endsAt }: Gathering,
): Promise<void> {
  const found: CheckedEvent[] = [];
  let wanted: readonly CheckedEvent[] = events;
  for (let round = 0; round < MAX_AUTH_ROUNDS && wanted.length > 0; round++) {
    const ids = referredTo(wanted, ({ pdu }) => pdu.authEvents, [...events, ...found]);
    const missing = await unknownAmong(context, ids);
    if (missing.length === 0) break;
    const fetched = await context.missingEvents.authEvents({
      roomId: head.roomId,
      origin,
      eventIds: missing,
      references: new Map(wanted.map(({ pdu }) => [pdu.eventId, pdu.authEvents])),
      endsAt,
    });
    wanted = await checkAll(context, { head, origin }, fetched);
    found.push(...wanted);
  }
  if (found.length > 0) await storeAsOutliers(context, head, found);
}

/** The state after an event that is not here: what others say was before it, and what it is itself. */
export async function gatherStateAfter(
  context: RoomserverContext,
  gathering: Gathering,
  eventId: EventId,
): Promise<StateSnapshotId | undefined> {
  const before = await gatherState(context, gathering, { eventId, withEvent: true });
  const itself = await context.events.get(eventId);
  const { roomId } = gathering.head;
  if (before === undefined || itself?.roomId !== roomId) return undefined;
  return storeSnapshot(context, roomId, stateWith(itself, before));
}

/** The state before an event that is here, but nothing of what comes before it. */
export async function gatherStateBefore(
  context: RoomserverContext,
  gathering: Gathering,
  eventId: EventId,
): Promise<StateSnapshotId | undefined> {
  const state = await gatherState(context, gathering, { eventId, withEvent: false });
  return state && storeSnapshot(context, gathering.head.roomId, state);
}

/** Undefined where nobody gives it whole, or at the last attempt without what it can be without. */
async function gatherState(
  context: RoomserverContext,
  { head, origin, endsAt, patience }: Gathering,
  wanted: Pick<StateBeforeRequest, 'eventId' | 'withEvent'>,
): Promise<EventRecord[] | undefined> {
  const { roomId } = head;
  const isLast = patience === undefined;
  const request = { ...wanted, roomId, origin, endsAt, isLast };
  const state = await context.missingEvents.stateBefore(request);
  if (state === undefined) return undefined;
  const checked = await checkAll(context, { head, origin }, state.events);
  await storeAsOutliers(context, head, checked);
  const records = [...(await context.events.load(state.stateIds)).values()];
  const ofRoom = records.filter((record) => record.roomId === roomId);
  const leftOut = leftOutOf(state, new Set(ofRoom.map(({ pdu }) => pdu.eventId)));
  // A state with other holes would be another state; and who cannot be verified now may be the next time.
  if (leftOut === undefined || (leftOut.length > 0 && !isLast)) return undefined;
  await noteLacking(context, roomId, leftOut);
  const usable = ofRoom.filter(({ standing }) => standing !== 'rejected');
  return hasKeyTwice(usable) ? undefined : usable;
}

/** Those who are gone in this state may be there in another. */
async function noteLacking(
  { rooms, lackingMembers }: RoomserverContext,
  roomId: RoomId,
  leftOut: readonly PduRecord[],
): Promise<void> {
  const members = leftOut.filter((event) => isMember(event) && !isGone(event));
  if (members.length === 0) return;
  await rooms.change(roomId, async (room) => lackingMembers.leftOut(room, members));
}

function stateWith(event: EventRecord, before: readonly EventRecord[]): EventRecord[] {
  const { type, stateKey } = event.pdu;
  if (stateKey === undefined || event.standing === 'rejected') return [...before];
  const others = before.filter(({ pdu }) => pdu.type !== type || pdu.stateKey !== stateKey);
  return [...others, event];
}

async function checkAll(
  { keyRing }: RoomserverContext,
  { head: { roomId, roomVersion }, origin }: Pick<Gathering, 'head' | 'origin'>,
  records: readonly PduRecord[],
): Promise<CheckedEvent[]> {
  const rules = rulesOf(roomVersion);
  return (await checkEvents(records, { roomId, rules, keyRing, origin })).filter(isChecked);
}

async function storeAsOutliers(
  context: RoomserverContext,
  { roomId, roomVersion, createEventId }: RoomHead,
  events: readonly CheckedEvent[],
): Promise<void> {
  const rules = rulesOf(roomVersion);
  await storeOutliers(context, { roomId, rules, events, createEventId });
}

/** Those of the events that are not stored. */
async function unknownAmong(
  { events: stored }: RoomserverContext,
  ids: ReadonlySet<EventId>,
): Promise<EventId[]> {
  if (ids.size === 0) return [];
  const found = await stored.load([...ids]);
  return [...ids].filter((id) => !found.has(id));
}

/** Those of the events that have no place in history: not stored, or known for their content only. */
async function withoutPlace(
  { events: stored }: RoomserverContext,
  ids: ReadonlySet<EventId>,
): Promise<EventId[]> {
  if (ids.size === 0) return [];
  const found = await stored.load([...ids]);
  return [...ids].filter((id) => found.get(id)?.stateBefore === undefined);
}

/** What the events refer to, but for those that are among `given`. */
function referredTo(
  events: readonly CheckedEvent[],
  references: (event: CheckedEvent) => readonly EventId[],
  given: readonly CheckedEvent[],
): Set<EventId> {
  const ids = new Set(events.flatMap(references));
  for (const { pdu } of given) ids.delete(pdu.eventId);
  return ids;
}
