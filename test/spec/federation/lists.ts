// The Server-Server API: what is built, what is not yet, what is built besides.

import type { FederationapiContext } from '../../../src/federationapi/context.ts';
import { createRoutes } from '../../../src/federationapi/federationapi.ts';
import type { Route } from '../../../src/http/route.ts';

/** For what they say of themselves: nothing behind them works. */
export const FEDERATION_ROUTES: readonly Route[] = createRoutes({
  config: { peeking: {} },
} as FederationapiContext);

/** They answer 404 M_UNRECOGNIZED. */
export const FEDERATION_NOT_YET: readonly string[] = [
  // Stands for all queries: each that there is has an operation of its own.
  'queryInfo',
  // Third-party identifiers and identity servers
  'exchangeThirdPartyInvite',
  'onBindThirdPartyIdentifier',
  // For servers that judge events of others
  'askPolicyServerToSign',
];

export const FEDERATION_BESIDES: readonly string[] = [
  // Peeking over federation (MSC2444), and as Palpo does it
  'previewRoom',
  'startPeek',
  'renewPeek',
  'endPeek',
  // Older servers know no others
  'sendJoinV1',
  'sendLeaveV1',
];
