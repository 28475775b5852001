// Check 1: the event has the format of its room version, otherwise it is dropped.

import { MatrixError } from '../../protocol/error.ts';
import { checkPduFormat } from '../../protocol/events/format.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import { eventIdOf } from '../../protocol/hashing.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { type Dropped, dropped } from './checked-event.ts';

/** The id is made from the event: nobody's word is taken for it. */
export function checkFormat(json: unknown, roomId: RoomId, rules: RoomVersionRules): Pdu | Dropped {
  try {
    const checked = checkPduFormat(json, rules);
    const eventId = eventIdOf(checked, rules);
    const pdu = Pdu.from({ eventId, roomVersion: rules.id, json: checked });
    if (pdu.roomId !== roomId) return dropped('room', 'the event is of another room', eventId);
    return pdu;
  } catch (error) {
    if (error instanceof MatrixError) return dropped('format', error.message);
    throw error;
  }
}
