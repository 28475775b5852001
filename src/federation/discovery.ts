// From a server name to where it is: Server-Server API, "Resolving server names".

import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { entries } from '../lru-entries.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { hostAndPortOf, isServerNameText } from '../protocol/server-name.ts';
import type { Route } from './connector.ts';
import type { Endpoint, NameResolver } from './name-resolver.ts';

export interface Location extends Route {
  readonly hostHeader: string;
}

export interface DiscoveryOptions {
  readonly resolver: Pick<NameResolver, 'services'>;
  readonly wellKnown: { delegateOf(host: string): Promise<string | undefined> };
  readonly clock: Clock;
}

const DEFAULT_PORT = 8448;
/** The second name is deprecated: nobody has registered it. */
const SERVICES = ['_matrix-fed._tcp', '_matrix._tcp'];
const MAX_SERVICES = 1000;
const SERVICES_LIFETIME = 300_000;

interface KnownServices {
  readonly endpoints: readonly Endpoint[];
  readonly until: number;
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #services = new LRUCache<string, KnownServices>(entries(MAX_SERVICES));

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** Addresses are looked up at each connection, not here. */
  async locate(serverName: ServerName): Promise<Location> {
    const { host, isIp, port } = hostAndPortOf(serverName);
    if (isIp || port !== undefined) return explicit(serverName);
    const delegate = await this.#options.wellKnown.delegateOf(host);
    return this.#locateDirectly(delegate ?? serverName);
  }

  /** Steps 3.1 to 3.5 are steps 1, 2, 4, 5 and 6 for the delegate. */
  async #locateDirectly(name: string): Promise<Location> {
    const { host, isIp, port } = hostAndPortOf(name);
    if (isIp || port !== undefined) return explicit(name);
    const endpoints = await this.#servicesOf(host);
    return { hostHeader: name, certifiedName: host, endpoints };
  }

  async #servicesOf(host: string): Promise<readonly Endpoint[]> {
    const now = this.#options.clock.now();
    const known = this.#services.get(host);
    if (known !== undefined && now < known.until) return known.endpoints;
    const endpoints = await this.#lookUpServices(host);
    this.#services.set(host, { endpoints, until: now + SERVICES_LIFETIME });
    return endpoints;
  }

  async #lookUpServices(host: string): Promise<readonly Endpoint[]> {
    for (const service of SERVICES) {
      const found = await this.#lookUp(`${service}.${host}`);
      if (found.length > 0) return found.filter(isUsable);
    }
    return [{ host, port: DEFAULT_PORT }];
  }

  /** Where DNS fails there may still be a server at the usual port; its certificate will tell. */
  async #lookUp(name: string): Promise<readonly Endpoint[]> {
    return await this.#options.resolver.services(name).catch(() => []);
  }
}

function explicit(name: string): Location {
  const { host, port = DEFAULT_PORT } = hostAndPortOf(name);
  return { hostHeader: name, certifiedName: host, endpoints: [{ host, port }] };
}

/** A target of `.` says that there is decidedly no such service (RFC 2782). */
function isUsable({ host, port }: Endpoint): boolean {
  return port > 0 && isServerNameText(host) && !host.includes(':');
}
