// The client of other servers: asks, and bounds what comes back in size and time.

import { type Clock, systemClock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { NetworkList } from '../network-list.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import { failure, readJson, refusal } from './answer.ts';
import type { FederationClient, FederationRequest } from './api.ts';
import { Connector } from './connector.ts';
import { createDeadline } from './deadline.ts';
import { DestinationPools } from './destination-pools.ts';
import { Discovery } from './discovery.ts';
import { httpsGet } from './https-get.ts';
import { MediaDownloads } from './media/media-downloads.ts';
import { createNameResolver, type NameResolver } from './name-resolver.ts';
import { Sender } from './sender.ts';
import { lazySecureContext } from './trust.ts';
import { WellKnown } from './well-known.ts';

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
const REQUEST_POOLS = { connectionsEach: 8, maxDestinations: 4000 };
/** Of their own, so that long downloads hold up nothing else. */
const MEDIA_POOLS = { connectionsEach: 4, maxDestinations: 200 };

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
  const senderOver = (pools: DestinationPools) =>
    new Sender({ ...options, discovery, pools, userAgent });
  const pools = new DestinationPools({ connector, clock, ...REQUEST_POOLS });
  const mediaPools = new DestinationPools({ connector, clock, ...MEDIA_POOLS });
  const requests = new Requests({ ...options, timers, sender: senderOver(pools) });
  const downloads = new MediaDownloads({ ...options, timers, get, sender: senderOver(mediaPools) });
  return {
    request: (request) => requests.request(request),
    download: (request) => downloads.download(request),
    close: async () => {
      await Promise.all([pools.close(), mediaPools.close()]);
    },
  };
}

interface RequestsOptions {
  readonly clock: Clock;
  readonly timers: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
}

class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  async request(request: FederationRequest): Promise<JsonObject> {
    const { clock, timers, logger, sender } = this.#options;
    const { destination, method, path, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
    const deadline = createDeadline(timers, timeoutMs, request.signal);
    try {
      const answer = await sender.send(request, deadline.signal);
      if (answer.status >= 200 && answer.status < 300) {
        return await readJson(answer, destination, {
          maxBytes: request.maxBytes ?? DEFAULT_MAX_BYTES,
          onRead: request.onRead,
        });
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
}
