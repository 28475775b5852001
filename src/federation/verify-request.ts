// Who has made a request: by the signature in its Authorization header (Server-Server API, "Request Authentication").

import { type KeyObject, verify } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { decodeBase64 } from '../protocol/base64.ts';
import { MatrixError } from '../protocol/error.ts';
import { isServerName, type ServerName } from '../protocol/identifiers.ts';
import type { JsonValue } from '../protocol/json.ts';
import { releaseBytes } from '../release-bytes.ts';
import type { KeyRing } from './api.ts';
import {
  isXMatrixHeader,
  parseXMatrixHeader,
  signedTextInTurns,
  type XMatrix,
} from './x-matrix.ts';

export interface ReceivedRequest {
  /** All of them: a server that signs with several keys sends several. */
  readonly authorization: readonly string[];
  readonly method: string;
  /** As it was received, undecoded, with the query. */
  readonly uri: string;
  /** Parsed exactly (`parseForeignJson`); absent where there is none. */
  readonly body?: JsonValue | undefined;
}

export interface RequestVerifier {
  readonly serverName: ServerName;
  readonly keyRing: Pick<KeyRing, 'key'>;
  readonly clock: Clock;
}

/** Bounds the work that one request can make. */
const MAX_SIGNATURES = 5;
const LARGE_BYTES = 256 * 1024;

/** The server whose valid signature the request bears. Throws M_UNAUTHORIZED, M_INVALID_PARAM for what is no server's name. */
export async function verifyServerRequest(
  request: ReceivedRequest,
  verifier: RequestVerifier,
): Promise<ServerName> {
  const credentials = readCredentials(request);
  const origin = originOf(credentials);
  const { serverName: destination, keyRing, clock } = verifier;
  if (credentials.some((one) => (one.destination ?? destination) !== destination)) {
    throw unauthorized('The request is for another server');
  }
  const { method, uri, body: content } = request;
  let text: Buffer | undefined;
  try {
    for (const { key: keyId, sig } of credentials) {
      // A key that has been given up still vouches for events of its time, but no more for requests.
      const key = await keyRing.key({ server: origin, keyId, validAt: clock.now() });
      const signature = decodeBase64(sig);
      if (key === undefined || signature?.length !== 64) continue;
      // Whoever leaves the destination out of the header has signed it all the same.
      text ??= await signedTextInTurns({ method, uri, origin, destination, content });
      if (await isValid(text, key, signature)) return origin;
    }
  } finally {
    if (text !== undefined) releaseBytes(text);
  }
  throw unauthorized(`The request bears no valid signature of ${origin}`);
}

/** A large text is hashed for tens of milliseconds: off the event loop, which for small ones would take longer. */
function isValid(text: Buffer, key: KeyObject, signature: Uint8Array): boolean | Promise<boolean> {
  if (text.length < LARGE_BYTES) return verify(null, text, key, signature);
  return new Promise((resolve, reject) => {
    verify(null, text, key, signature, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}

function readCredentials({ authorization }: ReceivedRequest): readonly XMatrix[] {
  const headers = authorization.filter(isXMatrixHeader);
  if (headers.length === 0) throw unauthorized('The request is not signed');
  if (headers.length > MAX_SIGNATURES) throw unauthorized('The request has too many signatures');
  return headers.map((header) => {
    const parsed = parseXMatrixHeader(header);
    if (parsed === undefined) throw unauthorized('The Authorization header is malformed');
    return parsed;
  });
}

function originOf(credentials: readonly XMatrix[]): ServerName {
  const origins = new Set(credentials.map(({ origin }) => origin));
  const [origin] = origins;
  if (origins.size !== 1) throw unauthorized('The request names several origins');
  if (isServerName(origin)) return origin;
  throw new MatrixError('M_INVALID_PARAM', 'The origin of the request is no server name');
}

function unauthorized(message: string): MatrixError {
  return new MatrixError('M_UNAUTHORIZED', message);
}
