// Which server asks: found out from the signature, once the body that it covers has been read.

import type { IncomingMessage } from 'node:http';
import { MatrixError } from '../protocol/error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { AddressTurns } from './address-turns.ts';
import { addressKey, type RateLimits } from './rate-limit.ts';
import type { RequestingServer, Route } from './route.ts';

export interface SignedRequest {
  /** Every such header; at least one. */
  readonly authorization: readonly string[];
  readonly method: string;
  /** From `/_matrix/`, as it stood in the request line. */
  readonly uri: string;
  /** Absent where there is none. */
  readonly body: JsonValue | undefined;
}

/** Throws M_UNAUTHORIZED (or M_FORBIDDEN for servers that are not let in). */
export type AuthenticateServer = (request: SignedRequest) => Promise<ServerName>;

export interface ServerAdmission {
  readonly authenticateServer?: AuthenticateServer;
  readonly rateLimits: RateLimits;
}

export interface ServerIdentification extends ServerAdmission {
  readonly turns: AddressTurns;
}

const SCHEME = /^X-Matrix[ \t]/i;

/** Throws M_UNAUTHORIZED where nothing speaks for a server: bodies are not read for nothing. */
export function checkClaimsServer(authorization: string | undefined): void {
  if (authorization === undefined || !SCHEME.test(authorization)) {
    throw new MatrixError('M_UNAUTHORIZED', 'The request is not signed by a server');
  }
}

/** The server that a request says it is of, as far as that is needed to tell one from another. */
export function claimedServer(authorization: string | undefined): string {
  return /[ ,\t]origin="?([^",\s]{1,255})/i.exec(authorization ?? '')?.[1] ?? '';
}

export async function identifyServer(
  { authenticateServer, rateLimits, turns }: ServerIdentification,
  route: Route,
  request: {
    readonly raw: IncomingMessage;
    readonly body: JsonValue | undefined;
    readonly remoteAddress: string;
  },
): Promise<RequestingServer> {
  const { raw, body, remoteAddress } = request;
  if (authenticateServer === undefined) {
    throw new MatrixError('M_UNAUTHORIZED', 'This server does not federate');
  }
  const signed = {
    authorization: raw.headersDistinct.authorization ?? [],
    method: raw.method ?? '',
    uri: raw.url ?? '',
    body,
  };
  const origin = await turns.run(addressKey(remoteAddress), () => authenticateServer(signed));
  rateLimits.consume('federation', origin);
  if (route.rateLimit !== undefined) rateLimits.consume(route.rateLimit, origin);
  return { origin };
}
