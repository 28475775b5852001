// Some staged events of one server for one room: through the receive pipeline, and then away with their rows.

import { DatabaseError } from '../../database/database.ts';
import { Pdu, type PduJson } from '../../protocol/events/pdu.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { parseJsonExactly } from '../../protocol/json.ts';
import type { EventFate } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { CheckedEvent } from '../input/checked-event.ts';
import { mapInParallel } from '../input/in-parallel.ts';
import { type CheckedInput, inputChecked, isLacking } from '../input/input-events.ts';
import { isReadable } from '../membership/is-here.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { deleteStagedPdus, type StagedPdu, selectStagedPdus } from '../store/staged-pdus.ts';
import { bringHistory } from './bring-history.ts';
import type { Deferrals } from './deferrals.ts';

const BATCH = 50;

/** What became of a batch. */
export interface Received {
  /** Rows that are not to be looked at any more for now; at least one. */
  readonly taken: number;
  /** Those whose rows have gone. */
  readonly done: readonly StagedPdu[];
  /** Those that lack what nobody gave, and may come again. */
  readonly lacking: readonly StagedPdu[];
}

export interface Means {
  readonly deferrals: Pick<Deferrals, 'waiting' | 'patienceWith'>;
  readonly aside: NonNullable<CheckedInput['aside']>;
}

/** Throws only what may pass. */
export async function receiveBatch(
  context: RoomserverContext,
  place: Pick<StagedPdu, 'roomId' | 'origin'>,
  { deferrals, aside }: Means,
): Promise<Received> {
  const without = deferrals.waiting(place);
  const staged = await selectStagedPdus(context.database, { ...place, without, limit: BATCH });
  const head = await context.rooms.head(place.roomId);
  // That the room takes events from the server was checked when they came: what ends that comes after them.
  const lacking =
    head === undefined
      ? []
      : await receive(context, head, { staged, patience: deferrals.patienceWith(staged), aside });
  const done = staged.filter((one) => !lacking.includes(one));
  await deleteDone(context, done);
  // Nothing there after all: the count was of rows that have gone another way.
  return { taken: Math.max(staged.length, 1), done, lacking };
}

export async function deleteDone(
  { database }: Pick<RoomserverContext, 'database'>,
  done: readonly StagedPdu[],
): Promise<void> {
  const ids = done.map(({ id }) => id);
  if (ids.length > 0) await database.transact((tx) => deleteStagedPdus(tx, ids));
}

interface Batch {
  readonly staged: readonly StagedPdu[];
  readonly patience: CheckedInput['patience'];
  readonly aside: Means['aside'];
}

/** Returns those that lack what nobody gave. */
async function receive(
  context: RoomserverContext,
  head: RoomHead,
  { staged, ...batch }: Batch,
): Promise<StagedPdu[]> {
  try {
    return await receiveTogether(context, head, { staged, ...batch });
  } catch (error) {
    const isPassing = error instanceof DatabaseError && error.kind === 'unavailable';
    if (isPassing || context.staged.isClosed) throw error;
    if (staged.length === 1) {
      logFailure(context, staged, error);
      return [];
    }
    // What the pipeline cannot cope with must not keep the others out.
    const lacking: StagedPdu[] = [];
    for (const one of staged)
      lacking.push(...(await receive(context, head, { staged: [one], ...batch })));
    return lacking;
  }
}

async function receiveTogether(
  context: RoomserverContext,
  head: RoomHead,
  { staged, patience, aside }: Batch,
): Promise<StagedPdu[]> {
  const [first] = staged;
  if (first === undefined) return [];
  const given = await mapInParallel(staged, 1, async (one) => checkedEventOf(one, head));
  const { origin } = first;
  const doubtful = await bringHistory(context, head, given);
  // As new ones they would make a hole: nobody is to see that where nobody looks any more.
  const isAtLast = patience === undefined && isReadable(context, head);
  const events = isAtLast ? given : given.filter((event) => !doubtful.includes(event));
  const input = { head, origin, events, kind: 'new', patience, aside } as const;
  const fates = await inputChecked(context, input);
  for (const [eventId, fate] of fates) logRefusal(context, { ...fate, eventId }, origin);
  return staged.filter(({ eventId }) => {
    const fate = fates.get(eventId);
    return fate === undefined || isLacking(fate);
  });
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
