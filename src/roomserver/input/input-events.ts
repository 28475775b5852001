// inputEvents: the receive pipeline (Server-Server API, "Checks performed on receipt of a PDU"). Checks 1 to 3 and
// whatever needs other servers come before the room's lock, checks 4 to 6 under it.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { MAX_PREV_EVENTS } from '../../protocol/events/limits.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { EventFate, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { lackSignature } from '../policy/lack-signature.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { checkEvents } from './check-event.ts';
import type { StatesAfter } from './check-state-before.ts';
import { type CheckedEvent, dropped, isChecked, isDropped } from './checked-event.ts';
import {
  type Gathering,
  gatherAuthEvents,
  gatherPrevEvents,
  gatherStateAfter,
  gatherStateBefore,
} from './gather.ts';
import { mapInParallel } from './in-parallel.ts';
import { orderByReferences } from './order-events.ts';
import { receiveEvent } from './receive-event.ts';

type InputRequest = Parameters<RoomserverApi['inputEvents']>[0];

/** Of how many states others are asked for one batch of events, at least all of one event: the rest has to come again. */
const MAX_STATES = MAX_PREV_EVENTS;
/** Events of a batch whose states could not be had: no more are asked for. */
const MAX_IN_VAIN = 3;
/** In order; what waits for the room is received in one turn of the event loop, and written in another. */
const RECEIVED_AT_ONCE = 8;
/** For others' answers to all questions that one batch of events raises: the room waits. */
const MAX_WAIT_MS = 90_000;

export async function inputEvents(
  context: RoomserverContext,
  request: InputRequest,
): Promise<EventFate[]> {
  const { roomId, origin, events } = request;
  const head = await context.rooms.head(roomId);
  if (head === undefined) return events.map(() => dropped('room', 'no such room'));
  const { keyRing } = context;
  const check = { roomId, rules: rulesOf(head.roomVersion), keyRing, origin };
  const results = await checkEvents(events, check);
  const checked = { ...request, head, origin, events: results.filter(isChecked) };
  const fates = await inputChecked(context, checked);
  return results.map((result) =>
    isDropped(result) ? result : (fates.get(result.pdu.eventId) as EventFate),
  );
}

export interface CheckedInput extends Omit<Gathering, 'endsAt'> {
  readonly kind: InputRequest['kind'];
  /** In whose name they are relayed, where it is for us to do. */
  readonly sendAs?: ServerName;
  /** Runs what may wait for the room's policy server, so that it is nobody else's time. */
  readonly aside?: <T>(waiting: () => Promise<T>) => Promise<T>;
  /** What cannot be connected to what is here is dropped. */
  readonly isConnected?: boolean;
}

const LACKING = new Set(['missing prev_events', 'missing auth_events']);

/** Nothing is wrong with the event itself: it may come again. */
export function isLacking(fate: EventFate | undefined): boolean {
  return fate?.fate === 'dropped' && LACKING.has(fate.rule);
}

/** Events that have passed the checks that need no room. A fate for each, by its id. */
export async function inputChecked(
  context: RoomserverContext,
  input: CheckedInput,
): Promise<Map<EventId, EventFate>> {
  const fates = new Map<EventId, EventFate>();
  for (const { pdu } of input.events) {
    fates.set(pdu.eventId, { fate: 'duplicate', eventId: pdu.eventId });
  }
  const fresh = await withoutDuplicates(context, input.events);
  const endsAt = context.clock.now() + MAX_WAIT_MS;
  for (const [id, fate] of await receiveAll(context, { ...input, events: fresh, endsAt }))
    fates.set(id, fate);
  return fates;
}

/** What is here already costs no more than a look. */
async function withoutDuplicates(
  { events }: RoomserverContext,
  checked: readonly CheckedEvent[],
): Promise<CheckedEvent[]> {
  const unique = new Map(checked.map((event) => [event.pdu.eventId, event]));
  const stored = await events.load([...unique.keys()]);
  return [...unique.values()].filter(
    ({ pdu }) => stored.get(pdu.eventId)?.stateBefore === undefined,
  );
}

async function receiveAll(
  context: RoomserverContext,
  gathering: CheckedInput & Gathering,
): Promise<Map<EventId, EventFate>> {
  const { kind, sendAs } = gathering;
  if (gathering.events.length === 0) return new Map();
  const { events, mayGrow } =
    kind === 'new'
      ? await gatherPrevEvents(context, gathering)
      : { events: gathering.events, mayGrow: false };
  await gatherAuthEvents(context, { ...gathering, events });
  const ordered = orderByReferences(events, ({ pdu }) => [...pdu.prevEvents, ...pdu.authEvents]);
  const { roomId } = gathering.head;
  const given = new Set(gathering.events);
  const waits = (event: CheckedEvent) =>
    gathering.isConnected === true ||
    (gathering.patience !== undefined &&
      (mayGrow || (gathering.patience === 'new' && given.has(event))));
  const lacking = ordered.filter((event) => !waits(event));
  const statesAfter = await statesOfMissing(context, { ...gathering, events: ordered }, lacking);
  const receive = async (event: CheckedEvent): Promise<[EventId, EventFate]> => {
    const { eventId } = event.pdu;
    // What was fetched to fill a gap is others' to relay.
    const isGiven = sendAs !== undefined && given.has(event);
    const arrival = { event, kind, statesAfter, ...(isGiven && { sendAs }) };
    const work = (room: RoomDraft) => receiveEvent(context, room, arrival);
    const { value, position } = await context.rooms.change(roomId, work);
    return [eventId, value.fate === 'accepted' ? { ...value, position } : value];
  };
  if (kind === 'old' || !(await lackSignature(context, gathering.head, ordered))) {
    return new Map(await mapInParallel(ordered, RECEIVED_AT_ONCE, receive));
  }
  const { aside = (waiting) => waiting() } = gathering;
  return aside(() => oneByOne(ordered, receive));
}

/** Each may have to wait for the room's policy server, and those that follow for it. */
async function oneByOne<T, K, V>(items: readonly T[], work: (item: T) => Promise<[K, V]>) {
  const results = new Map<K, V>();
  for (const item of items) {
    const [key, value] = await work(item);
    results.set(key, value);
  }
  return results;
}

/** The states after what the `lacking` among the events refer to, where that is neither here nor about to be. */
async function statesOfMissing(
  context: RoomserverContext,
  gathering: Gathering,
  lacking: readonly CheckedEvent[],
): Promise<StatesAfter> {
  const { events, head } = gathering;
  const expected = new Set(events.map(({ pdu }) => pdu.eventId));
  for (const { eventId } of head.extremities) expected.add(eventId);
  const prevEvents = new Set(lacking.flatMap(({ pdu }) => pdu.prevEvents));
  const stored = await context.events.load([...prevEvents.difference(expected)]);
  const ofRoom = (id: EventId) => {
    const record = stored.get(id);
    return record?.roomId === head.roomId ? record : undefined;
  };
  const isHere = (id: EventId) => expected.has(id) || ofRoom(id)?.stateBefore !== undefined;
  const asked = new Set<EventId>();
  const states = new Map<EventId, StateSnapshotId>();
  let inVain = 0;
  for (const { pdu } of lacking) {
    if (inVain === MAX_IN_VAIN) break;
    const missing = pdu.prevEvents.filter((id) => !isHere(id) && !asked.has(id));
    if (asked.size + missing.length > MAX_STATES) continue;
    for (const id of missing) {
      asked.add(id);
      const state = await gatherStateAfter(context, gathering, id);
      if (state !== undefined) states.set(id, state);
    }
    const unknown = missing.filter((id) => !states.has(id));
    if (unknown.length === 0) continue;
    // Whoever has joined by it knows nothing of what came before.
    const before = await gatherStateBefore(context, gathering, pdu.eventId);
    if (before === undefined) inVain++;
    else for (const id of unknown) states.set(id, before);
  }
  return states;
}
