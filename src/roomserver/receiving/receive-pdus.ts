// performReceivePdus: the events of a transaction are checked as far as that needs no room, and staged.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';
import { isEventId, isRoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvents } from '../input/check-event.ts';
import { type CheckedEvent, isDropped } from '../input/checked-event.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { checkAdmitted, isReceiving } from '../rooms/served-room.ts';
import type { ServingApi } from '../serving-api.ts';
import { insertStagedPdus, type StagedPdu, selectStagedIds } from '../store/staged-pdus.ts';
import { takeWithdrawal } from './withdrawn-invite.ts';

type ReceiveRequest = Parameters<ServingApi['performReceivePdus']>[0];
export type PduResults = Record<EventId, { readonly error?: string }>;

/** A transaction may have so many (Server-Server API, "Transactions"). */
const MAX_PDUS = 50;
const MAX_WAIT_MS = 10_000;

type Given = Pick<ReceiveRequest, 'origin' | 'pdus'>;

/** Of events of a room into which we are just beginning to look there are no results: their ids are not known yet. */
export async function receivePdus(
  context: RoomserverContext,
  { origin, pdus }: Given,
): Promise<{ results: PduResults }> {
  if (pdus.length > MAX_PDUS) {
    throw new MatrixError('M_TOO_LARGE', `A transaction has at most ${MAX_PDUS} PDUs`);
  }
  const { held } = context.outboundPeeks;
  const results: PduResults = {};
  const staged: StagedPdu[] = [];
  for (const [roomId, events] of byRoom(pdus, results)) {
    if (held.hold(roomId, origin, events)) continue;
    staged.push(...(await prepare(context, { roomId, origin, events, results })));
  }
  await stage(context, staged);
  return { results };
}

/** What was held: refused without a word where the room does not take events from the server. */
export async function takeHeld(
  context: RoomserverContext,
  { roomId, origin, pdus }: Given & { readonly roomId: RoomId },
): Promise<void> {
  const head = await context.rooms.head(roomId);
  if (!isReceiving(context, head, origin)) return;
  const request = { roomId, origin, events: pdus, results: {} };
  await stage(context, await checkAll(context, head, request));
}

/** What is of no room cannot be told by an id either, but for the one that it claims. */
function byRoom(pdus: readonly JsonObject[], results: PduResults): Map<RoomId, JsonObject[]> {
  const rooms = new Map<RoomId, JsonObject[]>();
  for (const pdu of pdus) {
    if (isRoomId(pdu.room_id)) rooms.set(pdu.room_id, [...(rooms.get(pdu.room_id) ?? []), pdu]);
    else refuse(results, pdu, 'the event is of no room');
  }
  return rooms;
}

function refuse(results: PduResults, { event_id: id }: JsonObject, error: string): void {
  if (isEventId(id)) results[id] = { error };
}

interface RoomPdus {
  readonly roomId: RoomId;
  readonly origin: ServerName;
  readonly events: readonly JsonObject[];
  readonly results: PduResults;
}

async function prepare(context: RoomserverContext, request: RoomPdus): Promise<StagedPdu[]> {
  const { roomId, origin, events, results } = request;
  const head = await receivingHead(context, roomId, origin);
  if (head === undefined) {
    context.outboundPeeks.heardOf(roomId, origin);
    for (const event of events) {
      const taken = await takeWithdrawal(context, { roomId, origin, event });
      if (taken !== undefined) results[taken] = {};
      else refuse(results, event, 'this server does not take part in the room');
    }
    return [];
  }
  return checkAll(context, head, request);
}

/** Those that are fit to be staged. */
async function checkAll(
  context: RoomserverContext,
  head: RoomHead,
  request: RoomPdus,
): Promise<StagedPdu[]> {
  const { roomId, origin, events, results } = request;
  const admission = await admissionOf(context, head, origin);
  const rules = rulesOf(head.roomVersion);
  const check = { roomId, rules, keyRing: context.keyRing, origin };
  const checked = await checkEvents(
    events.map((json) => ({ json })),
    check,
  );
  const fresh: CheckedEvent[] = [];
  for (const [i, event] of checked.entries()) {
    const id = isDropped(event) ? event.eventId : event.pdu.eventId;
    const error = admission ?? (isDropped(event) ? `${event.rule}: ${event.reason}` : undefined);
    if (error === undefined) fresh.push(event as CheckedEvent);
    else if (id === undefined) refuse(results, events[i] as JsonObject, error);
    else results[id] = { error };
  }
  return chooseFresh(context, request, fresh);
}

/** Undefined where events of the room are not taken from the server. */
async function receivingHead(
  context: RoomserverContext,
  roomId: RoomId,
  origin: ServerName,
): Promise<RoomHead | undefined> {
  const head = await context.rooms.head(roomId);
  if (isReceiving(context, head, origin)) return head;
  await arrivalOf(context, roomId);
  const arrived = await context.rooms.head(roomId);
  return isReceiving(context, arrived, origin) ? arrived : undefined;
}

/** A room that is just being brought here may be sent events of before that is done: bounded, for others wait, too. */
async function arrivalOf(
  { clock, turns, outboundPeeks }: RoomserverContext,
  roomId: RoomId,
): Promise<void> {
  if (!turns.isBusy(roomId) && !outboundPeeks.isStarting(roomId)) return;
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(MAX_WAIT_MS, resolve);
    const arrivals = [turns.idle(roomId), outboundPeeks.startedOrFailed(roomId)];
    void Promise.all(arrivals).then(() => {
      cancel();
      resolve();
    });
  });
}

/** Undefined: the room lets the server in. */
async function admissionOf(
  context: RoomserverContext,
  head: RoomHead,
  origin: ServerName,
): Promise<string | undefined> {
  try {
    await checkAdmitted(context, head, origin);
    return undefined;
  } catch (error) {
    if (error instanceof MatrixError) return error.message;
    throw error;
  }
}

/** Those that are neither here nor staged, as far as there is space. */
async function chooseFresh(
  context: RoomserverContext,
  { roomId, origin, results }: RoomPdus,
  checked: readonly CheckedEvent[],
): Promise<StagedPdu[]> {
  const ids = checked.map(({ pdu }) => pdu.eventId);
  const stored = await context.events.load(ids);
  const staged = await selectStagedIds(context.database, roomId, ids);
  let space = context.staged.spaceFor(roomId, origin);
  const fresh: StagedPdu[] = [];
  for (const { pdu, signedBy } of checked) {
    const { eventId } = pdu;
    results[eventId] = {};
    if (staged.has(eventId) || stored.get(eventId)?.stateBefore !== undefined) continue;
    if (space-- <= 0) {
      results[eventId] = { error: 'M_LIMIT_EXCEEDED: too many events of the room wait already' };
      continue;
    }
    const receivedAt = context.clock.now();
    const json = pdu.jsonText;
    fresh.push({
      id: context.staged.nextId(),
      roomId,
      eventId,
      origin,
      signedBy: [...signedBy],
      json,
      receivedAt,
    });
  }
  return fresh;
}

async function stage(
  { database, staged: worker }: RoomserverContext,
  staged: readonly StagedPdu[],
): Promise<void> {
  if (staged.length === 0) return;
  const groups = [...Map.groupBy(staged, ({ roomId }) => roomId)];
  await database.transact(async (tx) => {
    for (const [roomId, group] of groups) {
      const added = await insertStagedPdus(tx, group);
      const origin = group[0]?.origin;
      if (origin !== undefined) tx.afterCommit(() => worker.added(roomId, origin, added));
    }
  });
}
