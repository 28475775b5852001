// Events in the form of a transaction, in which some endpoints answer.

import type { PduJson } from '../protocol/events/pdu.ts';
import type { FederationapiContext } from './context.ts';

export function asTransaction(
  { serverName, clock }: Pick<FederationapiContext, 'serverName' | 'clock'>,
  pdus: readonly PduJson[],
): object {
  return { origin: serverName, origin_server_ts: clock.now(), pdus };
}
