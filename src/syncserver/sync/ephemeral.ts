// Typing and receipts of a joined room.

import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { type StoredReceipt, selectReceipts } from '../store/receipts.ts';
import type { SyncRequest } from './sync-request.ts';

/** `isNew`: the device knows nothing of the room. */
export async function ephemeralEvents(
  sync: SyncRequest,
  view: RoomView,
  isNew: boolean,
): Promise<JsonObject[]> {
  const { filter } = sync;
  if (filter.ephemeral.passesNone || !filter.ephemeral.passesRoom(view.roomId)) return [];
  const receipts = await receiptsSince(sync, view, isNew);
  const events = [...typingEvents(sync, view, isNew), ...receiptEvents(view, receipts)];
  return events.filter(({ type }) => filter.ephemeral.passes({ type: String(type) }));
}

/**
 * Only the newest state is known, so that is what is told: to those who know nothing of the room as well, once somebody
 * has typed in it.
 */
function typingEvents(
  { context, since, now }: SyncRequest,
  { roomId }: RoomView,
  isNew: boolean,
): JsonObject[] {
  const userIds = context.typing.typingIn(roomId);
  const before = isNew || since?.epoch !== now.epoch ? 0 : since.typing;
  if (context.typing.versionOf(roomId) <= before) return [];
  return [{ type: 'm.typing', content: { user_ids: userIds } }];
}

async function receiptsSince(
  { context, since, now }: SyncRequest,
  { roomId }: RoomView,
  isNew: boolean,
): Promise<readonly StoredReceipt[]> {
  const after = isNew || since === undefined ? 0 : since.receipts;
  const upTo = now.receipts;
  return (
    context.live.room(roomId)?.receipts(after, upTo) ??
    (await selectReceipts(context.database, { roomId, after, upTo }))
  );
}

function receiptEvents(
  { viewer }: RoomView,
  receipts: readonly StoredReceipt[],
): readonly JsonObject[] {
  if (receipts.length === 0) return [];
  const told = receipts.filter(({ type, userId }) => type === 'm.read' || userId === viewer.userId);
  // One event for each thread: within one, an event, type and user give but one receipt.
  const threads = Map.groupBy(told, (receipt) => receipt.threadId);
  return [...threads.values()].map((receipts) => ({
    type: 'm.receipt',
    content: receiptContent(receipts),
  }));
}

export function receiptContent(receipts: readonly StoredReceipt[]): JsonObject {
  const content: Record<string, Record<string, Record<string, JsonValue>>> = {};
  for (const { eventId, type, userId, ts, threadId } of receipts) {
    content[eventId] ??= {};
    const types = content[eventId];
    types[type] ??= {};
    types[type][userId] = { ts, ...(threadId !== '' && { thread_id: threadId }) };
  }
  return content;
}
