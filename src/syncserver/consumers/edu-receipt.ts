// Consumes `edu.receipt`: how far users have read.

import type { Consumer, LogEntry, Subscription } from '../../eventlog/eventlog.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { wakeAll } from '../live/wake.ts';
import { insertReceipts, type StoredReceipt } from '../store/receipts.ts';
import { selectRowsOfEvents, type TimelineRow } from '../store/timeline.ts';

type Topic = 'edu.receipt';

/** A receipt may overtake the event that it is for; ms. */
const MAX_LAG_MS = 1_000;

type Rows = ReadonlyMap<EventId, TimelineRow>;

/** `rooms`: the consumer that brings the events. */
export function consumeReceipts(
  context: SyncserverContext,
  rooms: Subscription,
): Consumer<Topic, Rows> {
  return {
    name: 'syncserver',
    topic: 'edu.receipt',
    database: context.database,
    prepare: (entries) => rowsOf(context, rooms, entries),
    apply: async (tx, entries, rows) => {
      const moved: StoredReceipt[] = [];
      for (const group of groupsOf(entries.map((entry) => receiptOf(entry, rows)))) {
        moved.push(...(await insertReceipts(tx, group)));
      }
      tx.afterCommit(() => tell(context, moved, entries.at(-1)?.position ?? 0));
    },
  };
}

async function rowsOf(
  { database, eventLog }: SyncserverContext,
  rooms: Subscription,
  entries: readonly LogEntry<Topic>[],
): Promise<Rows> {
  const eventIds = [...new Set(entries.map(({ entry }) => entry.eventId))];
  let rows = await selectRowsOfEvents(database, eventIds);
  if (rows.length < eventIds.length) {
    await rooms.reached(await eventLog.head('roomserver.output'), MAX_LAG_MS);
    rows = await selectRowsOfEvents(database, eventIds);
  }
  return new Map(rows.map((row) => [row.eventId, row]));
}

/** A receipt for an event of another room, or one that is not known, orders before all others. */
function receiptOf({ key, position, entry }: LogEntry<Topic>, rows: Rows): StoredReceipt {
  const roomId = key as RoomId;
  const row = rows.get(entry.eventId);
  return {
    roomId,
    userId: entry.userId,
    type: entry.type,
    threadId: entry.threadId ?? '',
    eventId: entry.eventId,
    eventPosition: row?.roomId === roomId ? row.position : Number.MIN_SAFE_INTEGER,
    ts: entry.ts,
    position,
  };
}

/** Each group has at most one receipt of a user, type and thread, so that one statement can write it. */
function groupsOf(receipts: readonly StoredReceipt[]): StoredReceipt[][] {
  const groups: Map<string, StoredReceipt>[] = [];
  for (const receipt of receipts) {
    const id = [receipt.roomId, receipt.userId, receipt.type, receipt.threadId].join('\0');
    const last = groups.findLastIndex((group) => group.has(id));
    const next = groups[last + 1] ?? new Map<string, StoredReceipt>();
    groups[last + 1] = next.set(id, receipt);
  }
  return groups.map((group) => [...group.values()]);
}

function tell(
  { live, positions }: SyncserverContext,
  receipts: readonly StoredReceipt[],
  position: number,
): void {
  const woken = new Set<LiveUser>();
  for (const receipt of receipts) {
    const room = live.room(receipt.roomId);
    room?.addReceipt(receipt);
    for (const user of room?.watchers ?? []) {
      if (receipt.type === 'm.read' || receipt.userId === user.userId) woken.add(user);
    }
  }
  positions.advance('receipts', position);
  wakeAll(woken);
}
