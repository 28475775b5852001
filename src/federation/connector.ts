// Opens TLS connections: finds the addresses, leaves out those in denied networks, tries the others until one answers
// with the right certificate. It connects to the very address that it has checked, so that no second look at DNS counts.

import { isIP } from 'node:net';
import {
  checkServerIdentity,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '../clock.ts';
import type { NetworkList } from '../network-list.ts';
import { isServerNameText } from '../protocol/server-name.ts';
import { firstSuccess } from './first-success.ts';
import type { Endpoint, NameResolver } from './name-resolver.ts';

export interface Route {
  /** A DNS name or an IP literal without brackets, for which the certificate has to be. */
  readonly certifiedName: string;
  /** Tried in order. */
  readonly endpoints: readonly Endpoint[];
}

export class NetworkDeniedError extends Error {
  constructor(host: string) {
    super(`${host} lies in a network that outbound.denied_networks names`);
    this.name = 'NetworkDeniedError';
  }
}

export interface ConnectorOptions {
  readonly resolver: NameResolver;
  readonly denied: NetworkList;
  readonly secureContext: () => SecureContext;
  readonly timers: Clock;
  /** Of one address, in ms. */
  readonly connectTimeoutMs: number;
}

/** As RFC 8305 recommends. */
const STAGGER_MS = 250;
/** Bounds what one name can make us do. */
const MAX_ADDRESSES = 8;

interface Address {
  readonly address: string;
  readonly port: number;
}

export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Throws NetworkDeniedError where no address may be connected to, else what went wrong with the first. */
  async connect(route: Route): Promise<TLSSocket> {
    const addresses = await this.#addresses(route);
    const attempts = addresses.map(
      (address) => (signal: AbortSignal) => this.#open(address, route.certifiedName, signal),
    );
    const { timers } = this.#options;
    return await firstSuccess(attempts, { timers, staggerMs: STAGGER_MS });
  }

  /** As undici takes it. */
  forRoute(route: Route): buildConnector.connector {
    return (_options, callback) => {
      this.connect(route).then(
        (socket) => callback(null, socket),
        (error) => callback(error, null),
      );
    };
  }

  /** Not empty. */
  async #addresses({ certifiedName: host, endpoints }: Route): Promise<readonly Address[]> {
    const looked = await Promise.allSettled(
      endpoints.slice(0, MAX_ADDRESSES).map((endpoint) => this.#addressesOf(endpoint)),
    );
    const found = looked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const allowed = found.filter(({ address }) => !this.#options.denied.contains(address));
    if (allowed.length > 0) return allowed.slice(0, MAX_ADDRESSES);
    if (found.length > 0) throw new NetworkDeniedError(host);
    const failed = looked.find((one) => one.status === 'rejected');
    throw failed?.reason ?? new Error(`${host} has no address`);
  }

  async #addressesOf({ host, port }: Endpoint): Promise<readonly Address[]> {
    if (isIP(host) !== 0) return [{ address: host, port }];
    if (host.includes(':') || !isServerNameText(host)) throw new Error('not a valid host name');
    const addresses = await this.#options.resolver.addresses(host);
    return addresses.map((address) => ({ address, port }));
  }

  #open({ address, port }: Address, name: string, signal: AbortSignal): Promise<TLSSocket> {
    const { timers, secureContext, connectTimeoutMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const socket = tlsConnect({
      host: address,
      port,
      secureContext: secureContext(),
      ALPNProtocols: ['http/1.1'],
      // An IP address is not to be sent as SNI.
      ...(isIP(name) === 0 && { servername: name }),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    });
    const giveUp = () => socket.destroy(new Error(`no connection to ${address}`));
    const cancel = timers.schedule(connectTimeoutMs, giveUp);
    signal.addEventListener('abort', giveUp);
    const settled = () => {
      cancel();
      signal.removeEventListener('abort', giveUp);
    };
    socket.setNoDelay(true);
    socket.once('secureConnect', () => {
      settled();
      socket.off('error', fail);
      resolve(socket);
    });
    const fail = (error: Error) => {
      settled();
      // Further errors of a socket that is given up are nobody's.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    return promise;
  }
}
