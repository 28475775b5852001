// Checks 4 to 7 of one event, and what they lead to, under the room's lock.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../protocol/identifiers.ts';
import type { EventFate } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { Standing } from '../event-record.ts';
import { dismissGuests } from '../membership/guests.ts';
import { createEventOf } from '../rooms/auth-state.ts';
import {
  extendRoom,
  logOldEvent,
  logRedactions,
  logStateReplaced,
  placeEvent,
  referredTo,
  withdrawReferred,
} from '../rooms/extend-room.ts';
import { redactByWaiting } from '../rooms/redactions.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { checkAuthEvents } from './check-auth-events.ts';
import { checkCurrentState } from './check-current-state.ts';
import { checkPolicyServer } from './check-policy-server.ts';
import { checkStateBefore, type StatesAfter, stateBefore } from './check-state-before.ts';
import { type CheckedEvent, dropped } from './checked-event.ts';
import type { Violation } from './judgement.ts';
import { asKnown } from './known-whole.ts';

export interface Arrival {
  readonly event: CheckedEvent;
  readonly kind: 'new' | 'old';
  /** Of prev_events that are not here, as far as others have told it. */
  readonly statesAfter: StatesAfter;
  /** In whose name it is relayed, where it is for us to do. */
  readonly sendAs?: ServerName;
}

type Context = Pick<RoomserverContext, 'clock' | 'serverName' | 'signingKey' | 'lackingMembers'>;

/** A fate without the position, which is known after COMMIT. */
export type Decision =
  | Exclude<EventFate, { fate: 'accepted' }>
  | { fate: 'accepted'; eventId: EventId };

export async function receiveEvent(
  context: Context,
  room: RoomDraft,
  given: Arrival,
): Promise<Decision> {
  const { kind, statesAfter } = given;
  const { eventId } = given.event.pdu;
  const known = await room.event(eventId);
  if (known !== undefined && known.roomId !== room.roomId) {
    return dropped('event_id', 'the id is that of an event of another room', eventId);
  }
  if (known?.stateBefore !== undefined) return { fate: 'duplicate', eventId };
  const event = asKnown(given.event, known, room.rules);
  const arrival = { ...given, event };
  const { pdu } = event;
  // The rules would allow it: nothing comes before it in the DAG.
  if (pdu.type === 'm.room.create' && eventId !== room.head.createEventId) {
    return dropped('create', 'the room has another m.room.create event', eventId);
  }

  const byAuthEvents = checkAuthEvents(event, {
    known: await room.events(pdu.authEvents),
    create: await createEventOf(room),
    rules: room.rules,
  });
  if (byAuthEvents !== undefined && 'fate' in byAuthEvents) return byAuthEvents;
  const referred = await stateBefore(room, pdu, statesAfter);
  if (referred === undefined) {
    return dropped('missing prev_events', 'an event before it cannot be had', eventId);
  }
  const { lackingMembers } = context;
  const before = await lackingMembers.completed(room, referred, pdu);
  const violation = byAuthEvents ?? (await checkStateBefore(room, event, before));
  const { serverName } = context;
  if (violation !== undefined) {
    return refuse(room, arrival, { before, violation, as: 'rejected', serverName });
  }
  if (kind === 'old') return acceptOld(room, arrival, { before, serverName });
  const now = await lackingMembers.completed(room, room.head.currentState, pdu);
  const current = await checkCurrentState(room, event, { before, now });
  if (current !== undefined) {
    return refuse(room, arrival, { before, violation: current, as: 'softFailed', serverName });
  }
  const byPolicy = await checkPolicyServer(room, event);
  if ('rule' in byPolicy) {
    return refuse(room, arrival, { before, violation: byPolicy, as: 'softFailed', serverName });
  }
  return acceptNew(context, room, { ...arrival, event: byPolicy, before });
}

interface Refusal {
  readonly before: StateSnapshotId;
  readonly violation: Violation;
  readonly as: Extract<Standing, 'rejected' | 'softFailed'>;
  readonly serverName: ServerName;
}

/** Stored, so that what refers to it can be judged; never an extremity, never told to anybody. */
async function refuse(
  room: RoomDraft,
  { event: { pdu } }: Arrival,
  { before, violation, as, serverName }: Refusal,
): Promise<Decision> {
  const isReferenced = await room.isMissing(pdu.eventId);
  const placed = await placeEvent(room, { pdu, stateBefore: before }, as);
  const record = { ...placed, reason: `${violation.rule}: ${violation.reason}` };
  room.store(record);
  logRedactions(room, await redactByWaiting(room, record));
  if (isReferenced) await arriveLate(room, pdu, serverName);
  return { fate: as, eventId: pdu.eventId, ...violation };
}

/** What others refer to, which were accepted without it: nobody has to look for it any more. */
async function arriveLate(room: RoomDraft, pdu: Pdu, serverName: ServerName): Promise<void> {
  const referred = await referredTo(room, pdu.prevEvents);
  await noteMissing(room, pdu, referred);
  room.changes.arrived.add(pdu.eventId);
  const changes = await withdrawReferred(room, referred, serverName);
  if (changes.length > 0) logStateReplaced(room, 'resolution', changes);
}

async function acceptNew(
  context: Context,
  room: RoomDraft,
  { before, ...arrival }: Arrival & { before: StateSnapshotId },
): Promise<Decision> {
  const { pdu } = arrival.event;
  const referred = await referredTo(room, pdu.prevEvents);
  // What is shown of the room does not go on from there.
  const isGap = await noteMissing(room, pdu, referred);
  if (isGap && arrival.statesAfter.size > 0) logStateReplaced(room, 'gap', []);
  const isReferenced = await room.isMissing(pdu.eventId);
  if (isReferenced) room.changes.arrived.add(pdu.eventId);
  const { sendAs } = arrival;
  await extendRoom(room, {
    pdu,
    stateBefore: before,
    serverName: context.serverName,
    isReferenced,
    referred,
    ...(sendAs !== undefined && { sendAs }),
  });
  if (pdu.type === 'm.room.guest_access') await dismissGuests(context, room);
  return { fate: 'accepted', eventId: pdu.eventId };
}

async function acceptOld(
  room: RoomDraft,
  { event: { pdu } }: Arrival,
  { before, serverName }: { readonly before: StateSnapshotId; readonly serverName: ServerName },
): Promise<Decision> {
  const record = await placeEvent(room, { pdu, stateBefore: before }, 'old');
  room.store(record);
  await arriveLate(room, pdu, serverName);
  await logOldEvent(room, record);
  return { fate: 'accepted', eventId: pdu.eventId };
}

/**
 * What the event refers to and is not here, also by way of what is refused: if it comes yet, it is no extremity. Whether the history that
 * is here has a gap there: nobody would miss what only a refused event refers to.
 */
async function noteMissing(
  room: RoomDraft,
  pdu: Pdu,
  referred: ReadonlySet<EventId>,
): Promise<boolean> {
  const present = await room.events(referred);
  const missing = [...referred].filter((id) => present.get(id)?.stateBefore === undefined);
  for (const eventId of missing) room.changes.missing.push({ eventId, referencedBy: pdu.eventId });
  return missing.some((id) => pdu.prevEvents.includes(id));
}
