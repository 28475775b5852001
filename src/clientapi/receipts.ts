// Receipts and the fully-read marker: where a user has read up to (Client-Server API, "Receipts",
// "Read and unread markers").

import type { Receipt } from '../eventlog/entries.ts';
import { MatrixError } from '../protocol/error.ts';
import type { EventId, RoomId, UserId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { publishReceipts } from './edus.ts';
import { findEventInRoom } from './room-event.ts';
import { checkIsInThread } from './threads.ts';
import { usersVisible } from './visible.ts';

export interface ReadUpTo {
  readonly roomId: RoomId;
  readonly userId: UserId;
}

export interface ReceiptToSend {
  readonly type: Receipt['type'];
  readonly eventId: EventId;
  readonly threadId?: string;
}

interface Marks {
  readonly receipts?: readonly ReceiptToSend[];
  readonly fullyRead?: EventId;
}

/**
 * All or none. The fully-read marker is room account data that only this way leads to. Throws M_NOT_FOUND for events
 * that are not in the room, M_INVALID_PARAM for a wrong thread.
 */
export async function markRead(
  context: ClientapiContext,
  place: ReadUpTo,
  { receipts = [], fullyRead }: Marks,
): Promise<void> {
  for (const receipt of receipts) await checkReceipt(context, place.roomId, receipt);
  if (fullyRead !== undefined) await findEventInRoom(context, place.roomId, fullyRead);
  if (receipts.length > 0) await sendReceipts(context, place, receipts);
  if (fullyRead !== undefined) {
    const { userserver } = context;
    const written = await userserver.performSetFullyRead({ ...place, eventId: fullyRead });
    await usersVisible(context, written);
  }
}

async function sendReceipts(
  context: ClientapiContext,
  { roomId, userId }: ReadUpTo,
  receipts: readonly ReceiptToSend[],
): Promise<void> {
  const ts = context.clock.now();
  const written = await publishReceipts(
    context,
    roomId,
    receipts.map((receipt) => ({ ...receipt, userId, ts })),
  );
  await context.syncserver.waitForPositions({ receipts: written.position });
}

async function checkReceipt(
  context: ClientapiContext,
  roomId: RoomId,
  { eventId, threadId }: ReceiptToSend,
): Promise<void> {
  const event = await findEventInRoom(context, roomId, eventId);
  if (threadId !== undefined) await checkIsInThread(context, event, threadId);
}

/** `thread_id` of a receipt. Throws M_INVALID_PARAM when it is empty. */
export function checkedThreadId(threadId: string | undefined): string | undefined {
  if (threadId !== '') return threadId;
  throw new MatrixError('M_INVALID_PARAM', "'thread_id' must not be empty");
}
