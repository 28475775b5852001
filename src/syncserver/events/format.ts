// Events in the format that clients get (Client-Server API, "Room event format").

import { formatClientEvent } from '../../protocol/events/client-event.ts';
import { Pdu, type PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';

/** What depends on who looks, and when. */
export interface EventView {
  /** ms since the epoch. */
  readonly now: number;
  /** Only where the response does not say it elsewhere. */
  readonly roomId?: RoomId | undefined;
  readonly transactionId?: string | undefined;
  readonly replacesState?: EventId | undefined;
  readonly prevContent?: JsonObject | undefined;
  /** Whether the viewer may see what redacted the event. */
  readonly redactionIsShown?: boolean | undefined;
  /** Of the viewer, at the event. */
  readonly membership?: string | undefined;
  /** `m.relations`. */
  readonly relations?: JsonObject | undefined;
}

const bodies = new WeakMap<PduRecord, JsonObject>();

export function formatEvent(event: StoredEvent, view: EventView): JsonObject {
  const formatted: Record<string, JsonValue> = { ...bodyOf(event) } as Record<string, JsonValue>;
  if (view.roomId !== undefined) formatted.room_id = view.roomId;
  formatted.unsigned = unsignedOf(event, view);
  return formatted;
}

/** As servers exchange it, with its id (filter option `event_format`). */
export function formatForFederation(event: StoredEvent, view: EventView): JsonObject {
  return {
    ...event.json,
    room_id: Pdu.from(event).roomId,
    event_id: event.eventId,
    unsigned: unsignedOf(event, view),
  };
}

function unsignedOf(event: StoredEvent, view: EventView): JsonObject {
  const unsigned: Record<string, JsonValue> = { age: view.now - timestampOf(event) };
  if (view.membership !== undefined) unsigned.membership = view.membership;
  if (view.transactionId !== undefined) unsigned.transaction_id = view.transactionId;
  if (view.replacesState !== undefined) unsigned.replaces_state = view.replacesState;
  if (view.prevContent !== undefined) unsigned.prev_content = view.prevContent;
  if (view.relations !== undefined) unsigned['m.relations'] = view.relations;
  if (event.redactedBecause !== undefined) {
    const because = event.redactedBecause;
    // Beside the specification, as other servers have it.
    unsigned.redacted_by = because.eventId;
    unsigned.redacted_because = {
      ...bodyOf(because),
      ...(view.redactionIsShown !== true && { content: withoutReason(because) }),
      ...(view.roomId !== undefined && { room_id: view.roomId }),
      unsigned: { age: view.now - timestampOf(because) },
    };
  }
  return unsigned;
}

/** What was redacted is all that is said to those who may not see the redaction: that much they see anyway. */
function withoutReason(redaction: PduRecord): JsonObject {
  const { redacts } = bodyOf(redaction);
  return redacts === undefined ? {} : { redacts };
}

function timestampOf(event: PduRecord): number {
  // Room versions 1 to 5 let a timestamp be whatever JSON calls a number.
  const timestamp = Number(event.json.origin_server_ts);
  return Number.isFinite(timestamp) ? Math.trunc(timestamp) : 0;
}

/** What is the same for everybody; made once for each event. */
function bodyOf(event: PduRecord): JsonObject {
  const known = bodies.get(event);
  if (known !== undefined) return known;
  const body = formatClientEvent(event, { withRoomId: false });
  bodies.set(event, body);
  return body;
}
