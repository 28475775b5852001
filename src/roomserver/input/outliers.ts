// Events that are known for their content only: auth events, and the events of states that arrive as a whole. They
// are judged by their auth events and stored in chunks, without any lock but for what redacts them.

import { giveWay } from '../../give-way.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord, Standing } from '../event-record.ts';
import { logRedactions } from '../rooms/extend-room.ts';
import { redactByWaiting } from '../rooms/redactions.ts';
import { insertOutliers } from '../store/events.ts';
import { checkAuthEvents } from './check-auth-events.ts';
import type { CheckedEvent } from './checked-event.ts';
import { orderByReferences } from './order-events.ts';

/** Others get their turn of the event loop between chunks. */
const CHUNK = 100;

export interface Outliers {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly events: readonly CheckedEvent[];
  /** Of m.room.create, which is stored or among the events: there is no other. */
  readonly createEventId: EventId | undefined;
}

type Context = Pick<RoomserverContext, 'database' | 'events' | 'rooms'>;

/** Returns what is known of each: those whose own auth events are missing are absent, and were not stored. */
export async function storeOutliers(
  context: Context,
  { roomId, rules, events, createEventId }: Outliers,
): Promise<Map<EventId, EventRecord>> {
  const ids = events.map(({ pdu }) => pdu.eventId);
  const authIds = events.flatMap(({ pdu }) => pdu.authEvents);
  const creates = createEventId === undefined ? [] : [createEventId];
  const stored = await context.events.load([...new Set([...ids, ...authIds, ...creates])]);
  const known = new Map(stored);
  const added: EventRecord[] = [];
  const ordered = orderByReferences(createFirst(events), ({ pdu }) => pdu.authEvents);
  for (const [index, event] of ordered.entries()) {
    if (index % CHUNK === CHUNK - 1) await giveWay();
    const { pdu } = event;
    if (stored.has(pdu.eventId) || isOtherCreate(pdu, createEventId)) continue;
    const create = acceptedCreate(known, createEventId);
    const judgement = checkAuthEvents(event, { known, create, rules });
    if (judgement !== undefined && 'fate' in judgement) continue;
    const reason = judgement && `${judgement.rule}: ${judgement.reason}`;
    const record = outlier(pdu, roomId, { standing: reason ? 'rejected' : 'outlier', reason });
    known.set(pdu.eventId, record);
    added.push(record);
  }
  await insertInChunks(context, added);
  await redactAdded(context, roomId, added);
  return new Map(
    ids.flatMap((id) => {
      const record = known.get(id);
      return record?.roomId === roomId ? [[id, record]] : [];
    }),
  );
}

/** The rules would allow it; and all that rests on it, from other power levels to another current state. */
function isOtherCreate({ type, eventId }: Pdu, createEventId: EventId | undefined): boolean {
  return type === 'm.room.create' && eventId !== createEventId;
}

function acceptedCreate(
  known: ReadonlyMap<EventId, EventRecord>,
  createEventId: EventId | undefined,
): Pdu | undefined {
  const record = createEventId === undefined ? undefined : known.get(createEventId);
  return record?.standing === 'rejected' ? undefined : record?.pdu;
}

/** In room version 12 all rest on m.room.create, and none says so. */
function createFirst(events: readonly CheckedEvent[]): CheckedEvent[] {
  const isCreate = ({ pdu }: CheckedEvent) => pdu.type === 'm.room.create';
  return events.toSorted((a, b) => Number(isCreate(b)) - Number(isCreate(a)));
}

function outlier(
  pdu: Pdu,
  roomId: RoomId,
  { standing, reason }: { standing: Standing; reason: string | undefined },
): EventRecord {
  return {
    pdu,
    roomId,
    standing,
    reason,
    stateBefore: undefined,
    stateAfter: undefined,
    replacesState: undefined,
    visibility: undefined,
    redactedBy: undefined,
  };
}

/** Redactions may have come before them. Under the lock, so that none comes just now. */
async function redactAdded(
  { rooms }: Context,
  roomId: RoomId,
  added: readonly EventRecord[],
): Promise<void> {
  if (added.length === 0 || (await rooms.head(roomId)) === undefined) return;
  const ids = added.map(({ pdu }) => pdu.eventId);
  await rooms.change(roomId, async (room) => {
    const awaited = await room.events(await room.awaitedByRedactions(ids));
    for (const record of awaited.values()) logRedactions(room, await redactByWaiting(room, record));
  });
}

async function insertInChunks(
  { database }: Pick<Context, 'database'>,
  records: readonly EventRecord[],
): Promise<void> {
  for (let start = 0; start < records.length; start += CHUNK) {
    const chunk = records.slice(start, start + CHUNK);
    await database.transact((tx) => insertOutliers(tx, chunk));
  }
}
