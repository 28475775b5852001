// Sends a request to another server: finds it, signs, and gives its answer as it comes.

import { encodeCanonicalJson } from '../protocol/canonical-json.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { FederationRequest } from './api.ts';
import type { DestinationPools } from './destination-pools.ts';
import type { Discovery } from './discovery.ts';
import { FederationError } from './federation-error.ts';
import { withQuery } from './federation-path.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';
import { xMatrixHeader } from './x-matrix.ts';

export interface SenderOptions {
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly discovery: Discovery;
  readonly pools: DestinationPools;
  readonly userAgent: string;
}

export type SentRequest = Omit<FederationRequest, 'timeoutMs' | 'maxBytes' | 'signal'>;

export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Whatever the status. Throws FederationError (`denied`), and what goes wrong on the way. */
  async send(request: SentRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { discovery, pools, serverName, userAgent } = this.#options;
    const { destination, method, body, mayBeOurselves = false } = request;
    if (destination === serverName && !mayBeOurselves) {
      throw new FederationError('denied', destination, { message: 'this is the server itself' });
    }
    const uri = withQuery(request.path, request.query);
    const authorization = this.#authorization(request, uri);
    const location = await endedBy(signal, discovery.locate(destination));
    return exchange(await pools.pool(location), {
      method,
      path: uri,
      host: location.hostHeader,
      headers: {
        'user-agent': userAgent,
        ...(authorization !== undefined && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: encodeCanonicalJson(body, { strict: false }) }),
      signal,
    });
  }

  #authorization(request: SentRequest, uri: string): string | undefined {
    const { destination, method, body: content, signed = true } = request;
    const { serverName: origin, signingKey } = this.#options;
    return signed
      ? xMatrixHeader({ method, uri, origin, destination, content }, signingKey)
      : undefined;
  }
}

/** The promise, or the signal's reason as soon as it is aborted. */
function endedBy<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return Promise.race([promise, aborted.promise]).finally(() =>
    signal.removeEventListener('abort', abort),
  );
}
