// Entries of `roomserver.output` that begin, renew and end looks across servers, and what ends those into our rooms: the
// end of visibility, encryption, an ACL, and the last local member who leaves.

import type {
  NewInboundPeek,
  NewOutboundPeek,
  NewRoomEvent,
  RetireInboundPeek,
  RetireOutboundPeek,
  StateReplaced,
} from '../../eventlog/entries.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import { isAllowedByAcl } from '../../protocol/server-acl.ts';
import { isPeekable } from '../../protocol/visibility.ts';
import { deleteExpiredPeeks, expirePeeksOf, expirePeeksOfRoom } from '../store/expired-peeks.ts';
import { hasLocalMembers } from '../store/hosts.ts';
import {
  deleteInboundPeek,
  insertInboundPeek,
  selectPeekingServers,
} from '../store/inbound-peeks.ts';
import type { Place, RoomBatch } from './room-batch.ts';

export async function newInboundPeek(
  batch: RoomBatch,
  { server, peekId, expiryTs }: NewInboundPeek,
  { roomId, position }: Place,
): Promise<void> {
  await batch.share(roomId, true);
  const destinationId = batch.destinationOf(server);
  const times = { expiryTs, cut: position, now: batch.now };
  await insertInboundPeek(batch.tx, { roomId, destinationId, peekId }, times);
  // One of that name that had ended is not the one that has begun.
  await deleteExpiredPeeks(batch.tx, destinationId, [{ roomId, peekId }]);
  batch.tx.afterCommit(() => {
    batch.context.inboundPeeks.arrived({ server, roomId, peekId });
    batch.context.inboundPeeks.expireAt(expiryTs);
  });
}

export async function retireInboundPeek(
  batch: RoomBatch,
  { server, peekId }: RetireInboundPeek,
  { roomId }: Place,
): Promise<void> {
  const destinationId = batch.destinationOf(server);
  await deleteInboundPeek(batch.tx, { roomId, destinationId, peekId });
}

export function newOutboundPeek(
  { context, tx }: RoomBatch,
  { server, peekId }: NewOutboundPeek,
  { roomId }: Place,
): Promise<void> {
  return context.outboundPeeks.activated(tx, { roomId, server, peekId });
}

export function retireOutboundPeek(
  { context, tx }: RoomBatch,
  { server, peekId }: RetireOutboundPeek,
  { roomId }: Place,
): Promise<void> {
  return context.outboundPeeks.retired(tx, { roomId, server, peekId });
}

/** After the event that says so was queued for those who look. */
export async function endPeeksOfClosedRoom(
  batch: RoomBatch,
  { currentVisibility: visibility, encrypted }: NewRoomEvent | StateReplaced,
  place: Place,
): Promise<void> {
  if (batch.shared.get(place.roomId)?.peeked !== true) return;
  const isDeserted =
    batch.changesAt(place.position).leftUsers.length > 0 &&
    !(await hasLocalMembers(batch.tx, place.roomId));
  if (isDeserted || !isPeekable({ visibility, encrypted })) await endInboundPeeks(batch, place);
}

/** After the event that says so was queued, too: who is kept out hears of that, and of nothing after it. */
export async function endPeeksOfDenied(
  batch: RoomBatch,
  { event, stateChanges }: NewRoomEvent,
  { roomId }: Place,
): Promise<void> {
  if (batch.shared.get(roomId)?.peeked !== true) return;
  const isAcl = stateChanges.some(
    ({ type, eventId }) => type === 'm.room.server_acl' && eventId === event.eventId,
  );
  if (!isAcl) return;
  const { content } = Pdu.from(event);
  const looking = await selectPeekingServers(batch.tx, roomId);
  const denied = looking.filter(({ server }) => !isAllowedByAcl(content, server));
  if (denied.length === 0) return;
  const ids = denied.map(({ id }) => id);
  await expirePeeksOf(batch.tx, roomId, ids);
  batch.wake(ids);
}

export async function endInboundPeeks(batch: RoomBatch, { roomId }: Place): Promise<void> {
  batch.wake(await expirePeeksOfRoom(batch.tx, roomId));
  batch.unpeeked(roomId);
}
