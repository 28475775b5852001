// Where a client puts its access token (Client-Server API, "Using access tokens").

import type { QueryValues } from './query-string.ts';

/** Undefined where there is none, or where the header is of another scheme. */
export function accessTokenOf(
  authorization: string | undefined,
  query: () => QueryValues,
): string | undefined {
  if (authorization === undefined) return query().get('access_token')?.[0];
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}
