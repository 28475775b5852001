// /etc/hosts: names that an operator has set by hand, which name servers do not know of.

import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../clock.ts';

const REREAD_MS = 30_000;
const LOOPBACK = ['127.0.0.1', '::1'];

export class HostsFile {
  readonly #path: string;
  readonly #clock: Clock;
  #readAt = Number.NEGATIVE_INFINITY;
  #addresses: Promise<ReadonlyMap<string, readonly string[]>> = Promise.resolve(new Map());

  constructor(path = '/etc/hosts', clock: Clock = systemClock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** `localhost` is this machine, whatever anybody says (RFC 6761). */
  async addresses(host: string): Promise<readonly string[]> {
    const name = host.toLowerCase();
    if (name === 'localhost' || name.endsWith('.localhost')) return LOOPBACK;
    const now = this.#clock.now();
    if (now - this.#readAt >= REREAD_MS) {
      this.#readAt = now;
      this.#addresses = readFile(this.#path, 'utf8').then(parseHosts, () => new Map());
    }
    return (await this.#addresses).get(name) ?? [];
  }
}

function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const known = addresses.get(name.toLowerCase()) ?? [];
      addresses.set(name.toLowerCase(), [...known, address]);
    }
  }
  return addresses;
}
