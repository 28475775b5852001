// inputState: a whole state that arrived at once replaces extremities and state in one step. Events and state nodes are
// stored beforehand, in chunks; what a crash leaves of them belongs to no state and stays unseen.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { roomCreator } from '../../protocol/auth/creators.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { Pdu, PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId, UserId } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import { untoldExtremities } from '../peeking/untold.ts';
import { logEvent, logStateReplaced, visibilityIn } from '../rooms/extend-room.ts';
import { resolveSnapshots } from '../rooms/resolve-snapshots.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { Extremity } from '../rooms/room-head.ts';
import { applyChanges, describeChanges } from '../rooms/state-changes.ts';
import { hasKeyTwice, storeSnapshot } from '../state/store-snapshot.ts';
import { insertOutboundPeek } from '../store/outbound-peeks.ts';
import { deletePurge, insertPurge } from '../store/purges.ts';
import { checkEvents } from './check-event.ts';
import { type CheckedEvent, isDropped } from './checked-event.ts';
import { isDispensable, isMember } from './left-out.ts';
import { storeOutliers } from './outliers.ts';

type InputRequest = Parameters<RoomserverApi['inputState']>[0];

/**
 * `follow` goes on after the extremities in the same unit of work; when it throws, nothing has arrived. The extremities
 * themselves then stay what they are known as: their turn comes when history is filled in.
 */
export async function inputState(
  context: RoomserverContext,
  request: InputRequest,
  follow?: (room: RoomDraft) => Promise<void>,
): Promise<Written> {
  const checked = await checkAll(context, request);
  const create = findCreate(request, checked);
  const { roomId, roomVersion } = request;
  const isKnown = (await context.rooms.head(roomId)) !== undefined;
  // Until the room exists, a restart takes its rows for what is left of a purged one.
  if (!isKnown) await context.database.transact((tx) => insertPurge(tx, roomId));
  const records = await storeAll(context, request, { checked, createEventId: create.eventId });
  const isWhole = checked.length === request.events.length;
  const extremities = await storeExtremities(context, request, { records, isWhole });
  const leftOut = isWhole ? [] : membersLeftOut(request, records);
  const replace = async (room: RoomDraft) => {
    context.lackingMembers.leftOut(room, leftOut);
    const isContinued = request.peek !== undefined && (await arePlaced(room, extremities));
    const placed =
      follow === undefined ? await placeExtremities(room, { extremities, records }) : [];
    await replaceState(context, room, { request, extremities, isContinued });
    for (const record of placed) await showPlaced(room, record);
    await follow?.(room);
  };
  const creator = (roomCreator(create, rulesOf(roomVersion)) ?? create.sender) as UserId;
  const { position } = isKnown
    ? await context.rooms.change(roomId, replace)
    : await context.rooms.create({ roomId, roomVersion, creator }, replace);
  return { position };
}

async function checkAll(
  { keyRing }: RoomserverContext,
  { roomId, roomVersion, events, reason, origin }: InputRequest,
): Promise<CheckedEvent[]> {
  const request = { roomId, rules: rulesOf(roomVersion), keyRing, origin };
  const results = await checkEvents(events, request);
  return results.flatMap((result, i) => {
    if (!isDropped(result)) return [result];
    // Servers that are gone for good have left events behind in every big room, and others such as are not signed: who joins
    // drops them, like any that are received.
    if (result.rule === 'key' || (result.rule === 'signature' && reason === 'join')) return [];
    throw refusal(result.eventId ?? events[i]?.eventId, `${result.rule}: ${result.reason}`);
  });
}

function findCreate({ extremities }: InputRequest, events: readonly CheckedEvent[]): Pdu {
  const inState = new Set(extremities.flatMap(({ stateAfter }) => stateAfter));
  const create = events.find(
    ({ pdu }) => pdu.type === 'm.room.create' && pdu.stateKey === '' && inState.has(pdu.eventId),
  );
  if (create === undefined)
    throw new MatrixError('M_FORBIDDEN', 'The state has no m.room.create event');
  return create.pdu;
}

type Records = ReadonlyMap<EventId, EventRecord>;

/** Of the states, those that cannot be verified now. */
function membersLeftOut({ events, extremities }: InputRequest, records: Records): PduRecord[] {
  const inState = new Set(extremities.flatMap(({ stateAfter }) => stateAfter));
  return events.filter(
    (event) => isMember(event) && inState.has(event.eventId) && !records.has(event.eventId),
  );
}

async function storeAll(
  context: RoomserverContext,
  { roomId, roomVersion }: InputRequest,
  { checked, createEventId }: { checked: readonly CheckedEvent[]; createEventId: EventId },
): Promise<Records> {
  const rules = rulesOf(roomVersion);
  return storeOutliers(context, { roomId, rules, events: checked, createEventId });
}

interface Given {
  readonly records: Records;
  /** None of the events given had to be left out. */
  readonly isWhole: boolean;
}

async function storeExtremities(
  context: RoomserverContext,
  request: InputRequest,
  given: Given,
): Promise<Extremity[]> {
  const stored = new Map<readonly EventId[], StoredState>();
  const extremities: Extremity[] = [];
  for (const { eventId, stateAfter } of request.extremities) {
    const state =
      stored.get(stateAfter) ?? (await storeState(context, request, { ...given, ids: stateAfter }));
    stored.set(stateAfter, state);
    // Of an extremity that was not given, all that is known is that it comes after its state.
    const depth = given.records.get(eventId)?.pdu.depth ?? state.depth;
    extremities.push({ eventId, depth, stateAfter: state.snapshot });
  }
  return extremities;
}

interface StoredState {
  readonly snapshot: StateSnapshotId;
  readonly depth: number;
}

/** Throws M_FORBIDDEN when an event of the state was not given, or is not allowed and cannot be left out. */
async function storeState(
  context: RoomserverContext,
  { roomId, events, reason }: InputRequest,
  { records, isWhole, ids }: Given & { readonly ids: readonly EventId[] },
): Promise<StoredState> {
  const given = new Map(events.map((event) => [event.eventId, event.json.type]));
  const state = ids.flatMap((id) => {
    const record = records.get(id);
    const type = given.get(id);
    const canBeWithout = type !== undefined && isDispensable(type);
    if (record === undefined && !isWhole && canBeWithout) return [];
    if (record === undefined) throw refusal(id, 'it or one of its auth events was not given');
    // Received one by one, it would be none of the state: rooms that have been there for long have such in theirs.
    if (record.standing === 'rejected' && reason === 'join' && canBeWithout) return [];
    if (record.standing === 'rejected') throw refusal(id, record.reason ?? 'it was rejected');
    if (!record.pdu.isState) throw refusal(id, 'it is no state event');
    return [record];
  });
  if (!state.some(({ pdu }) => pdu.type === 'm.room.create')) {
    throw new MatrixError('M_FORBIDDEN', 'The state has no m.room.create event');
  }
  if (hasKeyTwice(state)) {
    throw new MatrixError('M_FORBIDDEN', 'The state has two events of the same key');
  }
  return { snapshot: await storeSnapshot(context, roomId, state), depth: deepest(state) };
}

function deepest(records: readonly EventRecord[]): number {
  return records.reduce((depth, { pdu }) => Math.max(depth, pdu.depth), 0);
}

/** Then nothing lies between what is here and what has arrived. */
async function arePlaced(room: RoomDraft, extremities: readonly Extremity[]): Promise<boolean> {
  const known = await room.events(extremities.map(({ eventId }) => eventId));
  return extremities.every(({ eventId }) => known.get(eventId)?.stateBefore !== undefined);
}

interface Placement {
  readonly extremities: readonly Extremity[];
  readonly records: Records;
}

async function placeExtremities(
  room: RoomDraft,
  { extremities, records }: Placement,
): Promise<EventRecord[]> {
  const placed: EventRecord[] = [];
  for (const { eventId, stateAfter } of extremities) {
    const record = (await room.event(eventId)) ?? records.get(eventId);
    if (record === undefined || record.stateBefore !== undefined) continue;
    if (record.standing === 'rejected') throw refusal(eventId, record.reason ?? 'it was rejected');
    const visibility = await visibilityIn(room, stateAfter);
    placed.push({ ...placedAfter(record, stateAfter), visibility });
  }
  for (const record of placed) room.store(record);
  return placed;
}

/** The last that was said stands in the timeline, after which what follows goes on; what came before is not here. */
async function showPlaced(room: RoomDraft, record: EventRecord): Promise<void> {
  logEvent(room, record, { stateChanges: [] });
  const { eventId, prevEvents } = record.pdu;
  const present = await room.events(prevEvents);
  for (const id of prevEvents) {
    if (present.get(id)?.stateBefore !== undefined) continue;
    room.changes.missing.push({ eventId: id, referencedBy: eventId });
  }
}

interface Replacement {
  readonly request: InputRequest;
  readonly extremities: readonly Extremity[];
  /** Timelines go on. */
  readonly isContinued: boolean;
}

async function replaceState(
  { serverName, outboundPeeks }: RoomserverContext,
  room: RoomDraft,
  { request, extremities: given, isContinued }: Replacement,
): Promise<void> {
  if (request.peek !== undefined && room.head.localMembers > 0) {
    throw new MatrixError('M_BAD_STATE', 'A user of this server has joined the room meanwhile');
  }
  if (request.peek !== undefined) beginLook(room, outboundPeeks, request.peek);
  room.alsoWrite((tx) => deletePurge(tx, room.roomId));
  const isLook = request.peek !== undefined;
  const extremities = isLook
    ? [...given, ...(await untoldExtremities(room, given, serverName))]
    : given;
  if (isLook && isAsBefore(room, extremities)) return;
  const { currentState: before, createEventId } = room.head;
  room.head = { ...room.head, extremities };
  const after = await resolveSnapshots(
    room,
    extremities.map((extremity) => extremity.stateAfter),
  );
  const changes = await describeChanges(room, await room.states.diff(before, after));
  await applyChanges(room, after, { changes, serverName });
  if (createEventId !== undefined && room.head.createEventId !== createEventId) {
    throw refusal(room.head.createEventId, 'the room has another m.room.create event');
  }
  if (!isContinued) logStateReplaced(room, request.reason, changes);
  else if (changes.length > 0) logStateReplaced(room, 'resolution', changes);
}

/** The same extremities with the same states after them: nothing is new, and timelines go on. */
function isAsBefore({ head }: RoomDraft, extremities: readonly Extremity[]): boolean {
  const known = new Map(head.extremities.map(({ eventId, stateAfter }) => [eventId, stateAfter]));
  if (known.size !== extremities.length) return false;
  return extremities.every(({ eventId, stateAfter }) => known.get(eventId) === stateAfter);
}

function beginLook(
  room: RoomDraft,
  outboundPeeks: RoomserverContext['outboundPeeks'],
  given: NonNullable<InputRequest['peek']>,
): void {
  const peek = { roomId: room.roomId, ...given };
  const { server, peekId, renewalInterval } = peek;
  room.log({ kind: 'NewOutboundPeek', server, peekId, renewalInterval });
  room.alsoWrite((tx) => insertOutboundPeek(tx, peek));
  room.afterCommit(() => outboundPeeks.started(peek));
}

/**
 * The state before a state event is not told: of the state after it, only its own key may have been different, which
 * nobody looks at.
 */
function placedAfter(record: EventRecord, state: StateSnapshotId): EventRecord {
  return { ...record, standing: 'accepted', stateBefore: state, stateAfter: state };
}

function refusal(eventId: EventId | undefined, reason: string): MatrixError {
  return new MatrixError('M_FORBIDDEN', `The state does not validate: ${eventId}: ${reason}`);
}
