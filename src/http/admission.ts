// Who asks, and may they ask now: authentication and rate limits, before a body is read. Servers sign their bodies:
// who they are is found out later (server-request.ts).

import { MatrixError } from '../protocol/error.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { accessTokenOf } from './access-token.ts';
import type { QueryValues } from './query-string.ts';
import { addressKey, type RateLimits } from './rate-limit.ts';
import type { Requester, Route } from './route.ts';
import { checkClaimsServer } from './server-request.ts';

/** Throws M_UNKNOWN_TOKEN (or M_USER_DEACTIVATED, M_USER_LOCKED …). */
export type Authenticate = (token: string) => Promise<Requester>;

export interface AdmissionRequest {
  readonly authorization: string | undefined;
  readonly query: () => QueryValues;
  readonly remoteAddress: string;
}

export interface Admission {
  readonly authenticate: Authenticate;
  readonly rateLimits: RateLimits;
}

export async function admit(
  { authenticate, rateLimits }: Admission,
  route: Route,
  request: AdmissionRequest,
): Promise<Requester | undefined> {
  if (route.auth === 'server') {
    checkClaimsServer(request.authorization);
    rateLimits.consume('federationAddress', addressKey(request.remoteAddress));
    return undefined;
  }
  const token =
    route.auth === 'none' ? undefined : accessTokenOf(request.authorization, request.query);
  let requester: Requester | undefined;
  try {
    if (token !== undefined) requester = await authenticate(token);
  } catch (error) {
    // Guessing tokens counts against the address; a signed-in user behind the same one is not slowed.
    rateLimits.consume('request', addressKey(request.remoteAddress));
    throw error;
  }
  if (requester === undefined && route.auth !== 'none' && route.auth !== 'optional') {
    throw new MatrixError('M_MISSING_TOKEN', 'Missing access token');
  }
  if (requester?.isGuest === true && route.auth === 'user') {
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may not do this');
  }
  const key: UserId | string = requester?.userId ?? addressKey(request.remoteAddress);
  rateLimits.consume('request', key);
  if (route.rateLimit !== undefined) rateLimits.consume(route.rateLimit, key);
  return requester;
}
