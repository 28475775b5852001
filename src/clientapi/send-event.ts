// What all ways of sending an event into a room do.

import type { Requester } from '../http/route.ts';
import { parseEventId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { SendEventRequest } from '../roomserver/api.ts';
import { checkContent } from './content/content.ts';
import type { ClientapiContext } from './context.ts';
import { viewerOf } from './viewer.ts';
import { roomsVisible } from './visible.ts';

export interface EventToSend
  extends Pick<SendEventRequest, 'roomId' | 'type' | 'content' | 'stateKey' | 'redacts'> {
  readonly transaction?: { readonly scope: string; readonly id: string };
}

/** The body of the answer. */
export async function sendEvent(
  context: ClientapiContext,
  requester: Requester,
  { transaction, ...event }: EventToSend,
): Promise<object> {
  const viewer = viewerOf(requester);
  const { userId, isGuest, deviceId } = viewer;
  const key = transaction && {
    transaction: { userId, deviceId, id: transaction.id, scope: scopeOf(requester, transaction) },
  };
  await checkContent(context, viewer, { ...event, ...key });
  const sent = await context.roomserver.performSendEvent({
    ...withRedacts(event),
    ...key,
    sender: userId,
    isGuest,
  });
  await roomsVisible(context, sent);
  return { event_id: sent.eventId };
}

/** Who signs out and in again is another device, be its id the same: its transactions are new. */
function scopeOf(
  { deviceCreatedTs }: Requester,
  { scope }: NonNullable<EventToSend['transaction']>,
): string {
  return deviceCreatedTs === undefined ? scope : `${deviceCreatedTs.toString(36)}/${scope}`;
}

/** Clients name the redacted event in the content, whatever the room version; the roomserver puts it where it belongs. */
function withRedacts<T extends EventToSend>(event: T): T {
  if (event.type !== 'm.room.redaction' || event.redacts !== undefined) return event;
  if (event.stateKey !== undefined || event.content.redacts === undefined) return event;
  const { redacts, ...content }: JsonObject = event.content;
  return { ...event, content, redacts: parseEventId(redacts) };
}
