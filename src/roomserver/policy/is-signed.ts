// Whether a policy server has signed an event: verified once, though it is asked before the lock and under it.

import type { Pdu } from '../../protocol/events/pdu.ts';
import { isSignedByPolicyServer, type PolicyServer } from '../../protocol/policy-server.ts';

/** By which key of which server. */
const verified = new WeakMap<Pdu, string>();

export function isSigned(pdu: Pdu, policyServer: PolicyServer): boolean {
  const by = `${policyServer.name} ${policyServer.publicKey}`;
  if (verified.get(pdu) === by) return true;
  if (!isSignedByPolicyServer(pdu, policyServer)) return false;
  verified.set(pdu, by);
  return true;
}
