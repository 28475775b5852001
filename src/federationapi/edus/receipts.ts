// m.receipt: how far users of another server have read. Each room, and each receipt in it, stands for itself.

import { ENTRY_VERSION, type Receipt } from '../../eventlog/entries.ts';
import { MatrixError } from '../../protocol/error.ts';
import { isEventId, isRoomId, type RoomId, type ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonValue } from '../../protocol/json.ts';
import type { FederationapiContext } from '../context.ts';
import { checkSharesRoom, joinedOf } from '../joined-users.ts';
import { isUserOf, type ReceivedEdu } from './edu.ts';

/** Servers gather them for some seconds. Those for rooms that are not here count, too: each room costs a look. */
const MAX_RECEIPTS = 5_000;

interface Entry {
  readonly key: RoomId;
  readonly entry: Receipt;
}

export async function receiveReceipts(
  context: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  const entries: Entry[] = [];
  let looked = 0;
  for (const [roomId, byType] of Object.entries(content)) {
    if (!isRoomId(roomId) || !isJsonObject(byType)) continue;
    const receipts = receiptsIn(byType['m.read'], origin, context.clock.now());
    looked += receipts.length;
    if (looked > MAX_RECEIPTS) break;
    for (const entry of await ofMembers(context, { origin, roomId, receipts })) {
      entries.push({ key: roomId, entry });
    }
  }
  if (entries.length === 0) return;
  const { database, eventLog } = context;
  await database.transact((tx) => eventLog.append(tx, 'edu.receipt', entries));
}

async function ofMembers(
  context: FederationapiContext,
  room: { origin: ServerName; roomId: RoomId; receipts: readonly Receipt[] },
): Promise<readonly Receipt[]> {
  const { roomId, receipts } = room;
  if (receipts.length === 0) return [];
  try {
    await checkSharesRoom(context, room);
  } catch (error) {
    if (error instanceof MatrixError) return [];
    throw error;
  }
  const userIds = receipts.map(({ userId }) => userId);
  const joined = await joinedOf(context, roomId, userIds);
  return receipts.filter(({ userId }) => joined.has(userId));
}

/** What is malformed is left out. */
function receiptsIn(byUser: JsonValue | undefined, origin: ServerName, now: number): Receipt[] {
  if (!isJsonObject(byUser)) return [];
  return Object.entries(byUser).flatMap(([userId, receipt]) => {
    if (!isUserOf(origin, userId) || !isJsonObject(receipt)) return [];
    const { event_ids: eventIds, data } = receipt;
    const eventId = Array.isArray(eventIds) ? (eventIds as readonly unknown[])[0] : undefined;
    if (!isEventId(eventId)) return [];
    const { ts, thread_id: threadId } = isJsonObject(data) ? data : {};
    if (threadId !== undefined && !isThreadId(threadId)) return [];
    const shared = {
      v: ENTRY_VERSION,
      userId,
      eventId,
      type: 'm.read',
      ts: timeOf(ts, now),
    } as const;
    return [{ ...shared, ...(threadId !== undefined && { threadId }) }];
  });
}

function isThreadId(value: JsonValue): value is string {
  return value === 'main' || isEventId(value);
}

/** Nobody has read anything in the future. */
function timeOf(ts: JsonValue | undefined, now: number): number {
  return typeof ts === 'number' && ts >= 0 && ts < now ? ts : now;
}
