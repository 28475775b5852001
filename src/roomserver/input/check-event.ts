// Checks 1 to 3, which need nothing but the event and keys: done before the room's lock is taken.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { checkFormat } from './check-format.ts';
import { checkHash } from './check-hash.ts';
import { checkSignatures } from './check-signatures.ts';
import type { CheckedEvent, Dropped } from './checked-event.ts';
import { mapInParallel } from './in-parallel.ts';
import { type KeyRing, withNotary } from './key-ring.ts';

export interface CheckRequest {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly keyRing: KeyRing;
  /** The server that gave us the events; absent: no other than it has signed them. */
  readonly origin?: ServerName | undefined;
}

/** Their signatures are verified by several threads, and the keys of several servers asked for at the same time. */
const AT_ONCE = 64;

/** In the order given. */
export function checkEvents(
  events: readonly { readonly json: unknown }[],
  request: CheckRequest,
): Promise<(CheckedEvent | Dropped)[]> {
  return mapInParallel(events, AT_ONCE, ({ json }) => checkEvent(json, request));
}

export async function checkEvent(
  json: unknown,
  { roomId, rules, keyRing, origin }: CheckRequest,
): Promise<CheckedEvent | Dropped> {
  const given = checkFormat(json, roomId, rules);
  if ('fate' in given) return given;
  // Before its signatures: who has to have signed an event depends on what is left of it, as all that is judged later does.
  const pdu = checkHash(given, rules);
  const signedBy = await checkSignatures(pdu, rules, withNotary(keyRing, origin));
  return 'fate' in signedBy ? signedBy : { pdu, signedBy };
}
