// Check 7: the policy server of the room has signed the event, if the room has one, otherwise it is soft-failed (Server-Server
// API, "Validating Policy Server signatures"). An event without its signature comes again with the policy server's answer.

import { MatrixError } from '../../protocol/error.ts';
import { answerOf, askFor, missingSigner } from '../policy/need-signature.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { CheckedEvent } from './checked-event.ts';
import type { Violation } from './judgement.ts';

/** The event as it is to be kept: with the signature that had to be asked for. Throws SignatureNeeded. */
export async function checkPolicyServer(
  room: RoomDraft,
  event: CheckedEvent,
): Promise<CheckedEvent | Violation> {
  const { pdu } = event;
  const policyServer = await missingSigner(room, pdu);
  if (policyServer === undefined) return event;
  const answer = answerOf(room, pdu, policyServer) ?? askFor(room, { pdu, policyServer });
  const { outcome } = answer;
  if (!(outcome instanceof MatrixError)) return { ...event, pdu: outcome };
  return { rule: 'policy server', reason: outcome.message };
}
