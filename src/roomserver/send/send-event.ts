// performSendEvent: what a local user sends into a room.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { SendEventRequest, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { checkGuestsCanJoin, dismissGuests } from '../membership/guests.ts';
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
    if (!(error instanceof MatrixError)) throw error;
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
  if (request.isGuest) await checkGuest(room, request);
  if (type === 'm.room.canonical_alias') await checkCanonicalAlias(context, room, request);
  const { pdu } = await appendLocalEvent(context, room, request);
  if (type === 'm.room.guest_access') await dismissGuests(context, room);
  return pdu.eventId;
}

/** Guests may send whatever others may, but come in only where guests may. */
async function checkGuest(room: RoomDraft, request: SendEventRequest): Promise<void> {
  const { type, stateKey, sender, content } = request;
  if (type !== 'm.room.member' || content.membership !== 'join' || stateKey !== sender) return;
  await checkGuestsCanJoin(room);
  room.changes.guests.set(sender, true);
}
