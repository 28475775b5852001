// Checks 1 to 3, which need nothing but the event and keys: done before the room's lock is taken.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { checkFormat } from './check-format.ts';
import { checkHash } from './check-hash.ts';
import { checkSignatures } from './check-signatures.ts';
import type { CheckedEvent, Dropped } from './checked-event.ts';
import type { KeyRing } from './key-ring.ts';

export interface CheckRequest {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly keyRing: KeyRing;
}

export async function checkEvent(
  json: unknown,
  { roomId, rules, keyRing }: CheckRequest,
): Promise<CheckedEvent | Dropped> {
  const pdu = checkFormat(json, roomId, rules);
  if ('fate' in pdu) return pdu;
  const signedBy = await checkSignatures(pdu, rules, keyRing);
  if ('fate' in signedBy) return signedBy;
  return { pdu: checkHash(pdu, rules), signedBy };
}
