// What redactions do (room version 3, "Handling redactions"): they are authorized when they are applied, once both
// events are here, in whatever order they came. One that does not apply is withheld from clients.

import { powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import { type EventId, serverNameOf } from '../../protocol/identifiers.ts';
import { redactPdu } from '../../protocol/redaction.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomDraft } from './room-draft.ts';

export interface SettledRedactions {
  /** The event itself, as it is now. */
  readonly record: EventRecord;
  /** Redactions that were withheld and now are not. */
  readonly released: readonly EventRecord[];
  readonly redacted: readonly { readonly redacted: EventId; readonly redaction: EventId }[];
}

/** `isNew`: the event was made here just now, so that nobody can have redacted it yet. The event is in the draft. */
export async function settleRedactions(
  room: RoomDraft,
  record: EventRecord,
  { isNew }: { readonly isNew: boolean },
): Promise<SettledRedactions> {
  const { redacts } = record.pdu;
  const own = redacts === undefined ? undefined : await redactOther(room, record, redacts);
  if (isNew) return own ?? unchanged(record);
  const by = await redactByWaiting(room, own?.record ?? record);
  return { ...by, redacted: [...(own?.redacted ?? []), ...by.redacted] };
}

function unchanged(record: EventRecord): SettledRedactions {
  return { record, released: [], redacted: [] };
}

async function redactOther(
  room: RoomDraft,
  redaction: EventRecord,
  redacts: EventId,
): Promise<SettledRedactions> {
  const { eventId } = redaction.pdu;
  const target = redacts === eventId ? undefined : await room.event(redacts);
  if (target === undefined) {
    if (redacts !== eventId) room.changes.waitingRedactions.push({ redacts, redactionId: eventId });
    return withhold(room, redaction, 'what it redacts is not here');
  }
  if (target.roomId !== room.roomId || !(await mayRedact(room, redaction, target))) {
    return withhold(room, redaction, 'it may not redact that event');
  }
  // When it comes itself, it comes as it was.
  if (target.stateBefore === undefined) {
    room.changes.waitingRedactions.push({ redacts, redactionId: eventId });
  }
  if (target.redactedBy !== undefined) return unchanged(redaction);
  room.update(redactedBy(room, target, eventId));
  const entry = { redacted: redacts, redaction: eventId };
  return { record: redaction, released: [], redacted: [entry] };
}

function withhold(room: RoomDraft, redaction: EventRecord, reason: string): SettledRedactions {
  if (!room.rules.redactionsCheckedOnApplication) return unchanged(redaction);
  const record = { ...redaction, reason };
  room.update(record);
  return { record, released: [], redacted: [] };
}

/** Also of an event that is known for its content only, or refused: it may yet be part of the state. */
export async function redactByWaiting(
  room: RoomDraft,
  target: EventRecord,
): Promise<SettledRedactions> {
  const waiting = await room.waitingRedactions(target.pdu.eventId);
  if (waiting.length === 0) return unchanged(target);
  let record = target;
  const released: EventRecord[] = [];
  const redacted: { redacted: EventId; redaction: EventId }[] = [];
  if (target.stateBefore !== undefined) room.changes.settledRedactions.add(target.pdu.eventId);
  for (const id of waiting) {
    const redaction = await room.event(id);
    if (redaction === undefined || !(await mayRedact(room, redaction, target))) continue;
    if (redaction.reason !== undefined) {
      const shown = { ...redaction, reason: undefined };
      room.update(shown);
      released.push(shown);
    }
    if (record.redactedBy !== undefined) continue;
    record = redactedBy(room, target, id);
    room.update(record);
    redacted.push({ redacted: target.pdu.eventId, redaction: id });
  }
  return { record, released, redacted };
}

/** Older room versions have checked it when they authorized the redaction. */
async function mayRedact(
  room: RoomDraft,
  redaction: EventRecord,
  target: EventRecord,
): Promise<boolean> {
  if (!room.rules.redactionsCheckedOnApplication) return true;
  const { sender } = redaction.pdu;
  if (serverNameOf(sender) === serverNameOf(target.pdu.sender)) return true;
  if (redaction.stateBefore === undefined) return false;
  const create = await room.eventAt(redaction.stateBefore, 'm.room.create', '');
  const powerLevels = await room.eventAt(redaction.stateBefore, 'm.room.power_levels', '');
  const levels = powerLevelsFrom(
    { create: create?.pdu, powerLevels: powerLevels?.pdu },
    room.rules,
  );
  return levels.levelOf(sender) >= levels.redact;
}

function redactedBy(room: RoomDraft, { pdu, ...target }: EventRecord, by: EventId): EventRecord {
  const json = redactPdu(pdu.json, room.rules);
  const { eventId, roomVersion } = pdu;
  return { ...target, pdu: Pdu.from({ eventId, roomVersion, json }), redactedBy: by };
}
