// Some staged events of one server for one room: through the receive pipeline, and then away with their rows.

import { DatabaseError } from '../../database/database.ts';
import { Pdu, type PduJson } from '../../protocol/events/pdu.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { parseJsonExactly } from '../../protocol/json.ts';
import type { EventFate } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { inputChecked } from '../input/input-events.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { isReceiving } from '../rooms/served-room.ts';
import { deleteStagedPdus, type StagedPdu, selectStagedPdus } from '../store/staged-pdus.ts';

const BATCH = 50;

/** Returns how many rows are done with; at least one, where there is any. Throws only what may pass. */
export async function receiveBatch(
  context: RoomserverContext,
  roomId: RoomId,
  origin: ServerName,
): Promise<number> {
  const staged = await selectStagedPdus(context.database, { roomId, origin, limit: BATCH });
  const head = await context.rooms.head(roomId);
  if (isReceiving(context, head, origin)) await receive(context, head, staged);
  const ids = staged.map(({ id }) => id);
  if (ids.length > 0) await context.database.transact((tx) => deleteStagedPdus(tx, ids));
  // Nothing there after all: the count was of rows that have gone another way.
  return staged.length < BATCH ? Math.max(staged.length, 1) : staged.length;
}

async function receive(
  context: RoomserverContext,
  head: RoomHead,
  staged: readonly StagedPdu[],
): Promise<void> {
  try {
    await receiveTogether(context, head, staged);
  } catch (error) {
    const isPassing = error instanceof DatabaseError && error.kind === 'unavailable';
    if (isPassing || context.staged.isClosed) throw error;
    // What the pipeline cannot cope with must not keep the others out.
    if (staged.length > 1) for (const one of staged) await receive(context, head, [one]);
    else logFailure(context, staged, error);
  }
}

async function receiveTogether(
  context: RoomserverContext,
  head: RoomHead,
  staged: readonly StagedPdu[],
): Promise<void> {
  const [first] = staged;
  if (first === undefined) return;
  const events = staged.map((one) => checkedEventOf(one, head));
  const { origin } = first;
  const fates = await inputChecked(context, { head, origin, events, kind: 'new' });
  for (const [eventId, fate] of fates) logRefusal(context, { ...fate, eventId }, origin);
}

function checkedEventOf({ eventId, json, signedBy }: StagedPdu, head: RoomHead): CheckedEvent {
  const record = {
    eventId,
    roomVersion: head.roomVersion,
    json: parseJsonExactly(json) as PduJson,
  };
  return { pdu: Pdu.from(record, json), signedBy: new Set(signedBy) };
}

function logRefusal({ logger }: RoomserverContext, fate: EventFate, origin: ServerName): void {
  if (fate.fate === 'accepted' || fate.fate === 'duplicate') return;
  logger.debug({ ...fate, origin }, 'an event of another server was refused');
}

function logFailure(
  { logger }: RoomserverContext,
  staged: readonly StagedPdu[],
  error: unknown,
): void {
  const [one] = staged;
  const { eventId, roomId, origin } = one ?? {};
  logger.error({ eventId, roomId, origin, err: error }, 'an event could not be received: given up');
}
