// An event that comes garbled, and of which only what redaction leaves can be used, may be known whole: as part of a state that
// arrived at once.

import { isContentHashValid, referenceHashOf } from '../../protocol/hashing.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import type { EventRecord } from '../event-record.ts';
import type { CheckedEvent } from './checked-event.ts';

export function asKnown(
  event: CheckedEvent,
  known: EventRecord | undefined,
  rules: RoomVersionRules,
): CheckedEvent {
  if (known === undefined || isContentHashValid(event.pdu.json, rules)) return event;
  // In room versions 1 and 2 there may be another event of the same id.
  const isSame = referenceHashOf(known.pdu.json, rules) === referenceHashOf(event.pdu.json, rules);
  return isSame ? { ...event, pdu: known.pdu } : event;
}
