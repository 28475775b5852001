// The client of other servers: finds them, signs, asks, and bounds what comes back in size and time.

import { type Clock, systemClock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { NetworkList } from '../network-list.ts';
import { encodeCanonicalJson } from '../protocol/canonical-json.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import { failure, readJson, refusal } from './answer.ts';
import type { FederationClient, FederationRequest } from './api.ts';
import { Connector } from './connector.ts';
import { createDeadline } from './deadline.ts';
import { DestinationPools } from './destination-pools.ts';
import { Discovery } from './discovery.ts';
import { FederationError } from './federation-error.ts';
import { withQuery } from './federation-path.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';
import { httpsGet } from './https-get.ts';
import { createNameResolver, type NameResolver } from './name-resolver.ts';
import { lazySecureContext } from './trust.ts';
import { WellKnown } from './well-known.ts';
import { xMatrixHeader } from './x-matrix.ts';

export interface FederationClientOptions {
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  /** Of what is remembered. */
  readonly clock: Clock;
  /** Of what goes over the network, which takes real time whatever clock a test has. Default: the system's. */
  readonly timers?: Clock;
  readonly logger: Logger;
  readonly config: FederationClientConfig;
  /** For tests. */
  readonly resolver?: NameResolver;
}

export interface FederationClientConfig {
  /** CIDR. */
  readonly deniedNetworks: readonly string[];
  /** PEM: authorities to be trusted besides the system's. */
  readonly trustedCa?: string | undefined;
  readonly userAgent?: string;
  readonly connectTimeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_POOLS = { connectionsEach: 8, maxDestinations: 1000 };

export function createFederationClient(options: FederationClientOptions): FederationClient {
  const { clock, timers = systemClock, config, resolver = createNameResolver() } = options;
  const userAgent = config.userAgent ?? 'Keyhole';
  const connector = new Connector({
    resolver,
    timers,
    denied: new NetworkList(config.deniedNetworks),
    secureContext: lazySecureContext(config.trustedCa),
    connectTimeoutMs: config.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
  });
  const get = (url: URL, signal: AbortSignal) => httpsGet(url, { connector, userAgent, signal });
  const discovery = new Discovery({
    resolver,
    clock,
    wellKnown: new WellKnown({ get, clock, timers }),
  });
  const pools = new DestinationPools({ connector, clock, ...REQUEST_POOLS });
  const sender = new Sender({ ...options, timers, discovery, pools, userAgent });
  return {
    request: (request) => sender.request(request),
    // Nobody asks for it yet: the mediaserver is not given this client.
    download: async ({ destination }) => {
      throw new FederationError('denied', destination, { message: 'media are not fetched' });
    },
    close: () => pools.close(),
  };
}

interface SenderOptions extends FederationClientOptions {
  readonly discovery: Discovery;
  readonly pools: DestinationPools;
  readonly userAgent: string;
  readonly timers: Clock;
}

class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async request(request: FederationRequest): Promise<JsonObject> {
    const { clock, timers, logger } = this.#options;
    const { destination, method, path, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
    const deadline = createDeadline(timers, timeoutMs, request.signal);
    try {
      const answer = await this.#send(request, deadline.signal);
      if (answer.status >= 200 && answer.status < 300) {
        return await readJson(answer, destination, request.maxBytes ?? DEFAULT_MAX_BYTES);
      }
      throw await refusal(answer, destination, clock);
    } catch (error) {
      const failed = failure(error, destination);
      logger.debug({ destination, method, path, reason: failed.message }, 'a request failed');
      throw failed;
    } finally {
      deadline.clear();
    }
  }

  async #send(request: FederationRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { discovery, pools, serverName, userAgent } = this.#options;
    const { destination, method, body } = request;
    if (destination === serverName) {
      throw new FederationError('denied', destination, { message: 'this is the server itself' });
    }
    const uri = withQuery(request.path, request.query);
    const authorization = this.#authorization(request, uri);
    const location = await endedBy(signal, discovery.locate(destination));
    return exchange(pools.pool(location), {
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

  #authorization(request: FederationRequest, uri: string): string | undefined {
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
