// Under a room's lock: whether an event needs the signature of the room's policy server (Server-Server API, "Determining if a
// Policy Server is enabled in a room"), and what that server has answered.

import { isDeepStrictEqual } from 'node:util';
import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import {
  isPolicyEvent,
  type PolicyServer,
  readPolicyServer,
} from '../../protocol/policy-server.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { LocalEvent } from '../send/append-local-event.ts';
import { isSigned } from './is-signed.ts';
import { type PolicyAnswer, type PolicyQuestion, SignatureNeeded } from './signature-needed.ts';

/** Of one piece of work, which is run again after each. */
const MAX_QUESTIONS = 100;

/** Who has to sign the event and has not; undefined where it can do without, or has what it needs. */
export async function missingSigner(room: RoomDraft, pdu: Pdu): Promise<PolicyServer | undefined> {
  if (isPolicyEvent(pdu)) return undefined;
  const named = await room.currentEvent('m.room.policy', '');
  if (named === undefined) return undefined;
  const policyServer = readPolicyServer(named.pdu.content);
  if (policyServer === undefined || isSigned(pdu, policyServer)) return undefined;
  return (await room.hasJoined(policyServer.name)) ? policyServer : undefined;
}

/** Throws SignatureNeeded where the event needs another signature than it has; M_LIMIT_EXCEEDED instead when too many do. */
export async function checkHasSignature(
  room: RoomDraft,
  pdu: Pdu,
  event: LocalEvent,
): Promise<void> {
  const policyServer = await missingSigner(room, pdu);
  if (policyServer !== undefined) askFor(room, { pdu, policyServer, event });
}

export function askFor(room: RoomDraft, question: PolicyQuestion): never {
  if (room.policyAnswers.length < MAX_QUESTIONS) throw new SignatureNeeded(question);
  throw new MatrixError('M_LIMIT_EXCEEDED', 'Too many events for the policy server at once');
}

/** What has come of an event of ours that this work has made before, and has not appended yet. */
export function answerFor(room: RoomDraft, event: LocalEvent): PolicyAnswer | undefined {
  return room.policyAnswers.findLast(
    (answer) =>
      answer.event !== undefined &&
      !room.changes.events.has(answer.pdu.eventId) &&
      isDeepStrictEqual(answer.event, event),
  );
}

/** What the policy server has said of an event. */
export function answerOf(
  room: RoomDraft,
  pdu: Pdu,
  policyServer: PolicyServer,
): PolicyAnswer | undefined {
  return room.policyAnswers.findLast(
    (answer) =>
      answer.pdu.eventId === pdu.eventId && isDeepStrictEqual(answer.policyServer, policyServer),
  );
}

/** Why the policy server has not signed the event, if it was asked. */
export function refusalOf(room: RoomDraft, { eventId }: Pdu): MatrixError | undefined {
  const answer = room.policyAnswers.findLast(({ pdu }) => pdu.eventId === eventId);
  return answer?.outcome instanceof MatrixError ? answer.outcome : undefined;
}
