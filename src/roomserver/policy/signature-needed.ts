// What the policy server of a room is asked, and what has come of it.

import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { PolicyServer } from '../../protocol/policy-server.ts';
import type { LocalEvent } from '../send/append-local-event.ts';

export interface PolicyQuestion {
  readonly pdu: Pdu;
  readonly policyServer: PolicyServer;
  /** What `pdu` was made of, where it is one of ours. */
  readonly event?: LocalEvent;
}

export interface PolicyAnswer extends PolicyQuestion {
  /** Signed, or why it is not. */
  readonly outcome: Pdu | MatrixError;
}

/** The policy server's own words. */
export class PolicyRefusal extends MatrixError {}

/**
 * Thrown by work under a room's lock, which must not wait for the network: the room lets go of it, has the question
 * answered, and runs it again with the answer in the draft.
 */
export class SignatureNeeded extends Error {
  readonly question: PolicyQuestion;

  constructor(question: PolicyQuestion) {
    super(`${question.policyServer.name} has to sign ${question.pdu.eventId}`);
    this.name = 'SignatureNeeded';
    this.question = question;
  }
}
