// The format in which clients get events (Client-Server API, "Room event format").

import type { JsonObject, JsonValue } from '../json.ts';
import { Pdu, type PduRecord } from './pdu.ts';

export interface ClientEventOptions {
  /** False where the response says it elsewhere, as /sync does. */
  readonly withRoomId: boolean;
  /** Left out when it is absent or empty. */
  readonly unsigned?: JsonObject | undefined;
}

/** `ClientEvent` or `ClientEventWithoutRoomID`. */
export interface ClientEvent extends JsonObject {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: JsonObject;
  readonly room_id?: string;
  readonly state_key?: string;
  readonly redacts?: string;
  readonly unsigned?: JsonObject;
}

export function formatClientEvent(record: PduRecord, options: ClientEventOptions): ClientEvent {
  const pdu = Pdu.from(record);
  const event: Record<string, JsonValue> = {
    type: pdu.type,
    sender: pdu.sender,
    content: pdu.content,
    event_id: pdu.eventId,
    origin_server_ts: pdu.originServerTs,
  };
  if (options.withRoomId) event.room_id = pdu.roomId;
  if (pdu.stateKey !== undefined) event.state_key = pdu.stateKey;
  const { redacts } = pdu;
  if (redacts !== undefined) {
    // Clients of either age find it where they look: both places, in every room version (version 11).
    event.redacts = redacts;
    event.content = { ...pdu.content, redacts };
  }
  if (options.unsigned !== undefined && Object.keys(options.unsigned).length > 0) {
    event.unsigned = options.unsigned;
  }
  return event as unknown as ClientEvent;
}
