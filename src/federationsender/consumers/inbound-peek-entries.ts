// Entries of `roomserver.output` that begin, renew and end other servers' looks into rooms of this one.

import type { NewInboundPeek, RetireInboundPeek } from '../../eventlog/entries.ts';
import { deleteInboundPeek, insertInboundPeek } from '../store/inbound-peeks.ts';
import type { Place, RoomBatch } from './room-batch.ts';

export async function newInboundPeek(
  batch: RoomBatch,
  { server, peekId, expiryTs }: NewInboundPeek,
  { roomId, position }: Place,
): Promise<void> {
  await batch.share(roomId, true);
  const key = { roomId, destinationId: batch.destinationOf(server), peekId };
  await insertInboundPeek(batch.tx, key, { expiryTs, cut: position });
}

export async function retireInboundPeek(
  batch: RoomBatch,
  { server, peekId }: RetireInboundPeek,
  { roomId }: Place,
): Promise<void> {
  await deleteInboundPeek(batch.tx, {
    roomId,
    destinationId: batch.destinationOf(server),
    peekId,
  });
}
