// Receipts and the fully-read marker: where a user has read up to (Client-Server API, "Receipts",
// "Read and unread markers").

import type { Receipt } from '../eventlog/entries.ts';
import { MatrixError } from '../protocol/error.ts';
import type { EventId, RoomId, UserId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { publishReceipts } from './edus.ts';
import { findEventInRoom } from './room-event.ts';
import { checkIsInThread } from './threads.ts';

export interface ReadUpTo {
  readonly roomId: RoomId;
  readonly userId: UserId;
}

export interface ReceiptToSend {
  readonly type: Receipt['type'];
  readonly eventId: EventId;
  readonly threadId?: string;
}

/** All or none. Throws M_NOT_FOUND for events that are not in the room, M_INVALID_PARAM for a wrong thread. */
export async function sendReceipts(
  context: ClientapiContext,
  { roomId, userId }: ReadUpTo,
  receipts: readonly ReceiptToSend[],
): Promise<void> {
  if (receipts.length === 0) return;
  for (const receipt of receipts) await checkReceipt(context, roomId, receipt);
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

/** The marker is room account data that only this way leads to. Throws M_NOT_FOUND. */
export async function setFullyRead(
  context: ClientapiContext,
  { roomId, userId }: ReadUpTo,
  eventId: EventId,
): Promise<void> {
  await findEventInRoom(context, roomId, eventId);
  const written = await context.userserver.performSetFullyRead({ userId, roomId, eventId });
  await context.syncserver.waitForPositions({ users: written.position });
}

/** `thread_id` of a receipt. Throws M_INVALID_PARAM when it is empty. */
export function checkedThreadId(threadId: string | undefined): string | undefined {
  if (threadId !== '') return threadId;
  throw new MatrixError('M_INVALID_PARAM', "'thread_id' must not be empty");
}
