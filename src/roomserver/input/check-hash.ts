// Check 3: the content matches its hash, otherwise the event is redacted and goes on like that.

import { Pdu } from '../../protocol/events/pdu.ts';
import { isContentHashValid } from '../../protocol/hashing.ts';
import { redactPdu } from '../../protocol/redaction.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';

export function checkHash(pdu: Pdu, rules: RoomVersionRules): Pdu {
  if (isContentHashValid(pdu.json, rules)) return pdu;
  const { eventId, roomVersion } = pdu;
  return Pdu.from({ eventId, roomVersion, json: redactPdu(pdu.json, rules) });
}
