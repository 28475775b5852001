// performSendEvent: what a local user sends into a room.

import type { EventId } from '../../protocol/identifiers.ts';
import type { SendEventRequest, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { dismissGuests } from '../membership/guests.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectTransaction } from '../store/transactions.ts';
import { appendLocalEvent } from './append-local-event.ts';
import { checkCanonicalAlias } from './check-canonical-alias.ts';
import { checkRedaction } from './check-redaction.ts';

export async function sendEvent(
  context: RoomserverContext,
  request: SendEventRequest,
): Promise<Written & { eventId: EventId }> {
  try {
    const work = (room: RoomDraft) => send(context, room, request);
    const { value: eventId, position } = await context.rooms.change(request.roomId, work);
    return { eventId, position };
  } catch (error) {
    // What was sent before may not be allowed any more, and yet it was sent.
    const { transaction } = request;
    const eventId = transaction && (await selectTransaction(context.database, transaction));
    if (eventId === undefined) throw error;
    return { eventId, position: 0 };
  }
}

async function send(
  context: RoomserverContext,
  room: RoomDraft,
  request: SendEventRequest,
): Promise<EventId> {
  const { transaction, type } = request;
  const sent = transaction && (await room.transaction(transaction));
  if (sent !== undefined) return sent;
  if (type === 'm.room.redaction') await checkRedaction(room, request);
  if (type === 'm.room.canonical_alias') await checkCanonicalAlias(context, room, request);
  const { pdu } = await appendLocalEvent(context, room, request);
  if (type === 'm.room.guest_access') await dismissGuests(context, room);
  return pdu.eventId;
}
