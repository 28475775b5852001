// DNS as discovery needs it. Names are checked by who asks; what comes back is anybody's word.

import { randomInt } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { HostsFile } from './hosts-file.ts';

export interface Endpoint {
  /** A DNS name or an IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface NameResolver {
  /** In the order in which they are to be tried. Throws where there are none. */
  addresses(host: string): Promise<readonly string[]>;
  /** Of SRV records, in the order in which they are to be tried; empty where there are none. Throws on failures of DNS. */
  services(name: string): Promise<readonly Endpoint[]>;
}

const OPTIONS = { timeout: 3000, tries: 2 };
const ABSENT = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * The system's name servers and /etc/hosts. Not by getaddrinfo: it blocks one of the few threads that the process has for
 * such, for as long as a name server of an enemy likes.
 */
export function createNameResolver(hosts = new HostsFile()): NameResolver {
  const resolver = new Resolver(OPTIONS);
  return {
    addresses: async (host) => {
      const known = await hosts.addresses(host);
      if (known.length > 0) return known;
      const answers = await Promise.allSettled([resolver.resolve6(host), resolver.resolve4(host)]);
      const [v6 = [], v4 = []] = answers.map((one) =>
        one.status === 'fulfilled' ? one.value : [],
      );
      if (v6.length + v4.length === 0) throw (answers[1] as PromiseRejectedResult).reason;
      return interleave(v6, v4);
    },
    services: async (name) => {
      try {
        const records = await resolver.resolveSrv(name);
        return byPriority(records, (total) => randomInt(total)).map(({ name: host, port }) => ({
          host,
          port,
        }));
      } catch (error) {
        if (error instanceof Error && 'code' in error && ABSENT.has(String(error.code))) return [];
        throw error;
      }
    },
  };
}

/** RFC 8305, section 4: one family after the other in turn. */
export function interleave(first: readonly string[], second: readonly string[]): readonly string[] {
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, index) => [first[index], second[index]])
    .flat()
    .filter((one) => one !== undefined);
}

interface Weighted {
  readonly priority: number;
  readonly weight: number;
}

/** RFC 2782: lowest priority first; within one, at random by weight. `below(n)`: from 0 to n - 1. */
export function byPriority<T extends Weighted>(
  records: readonly T[],
  below: (total: number) => number,
): readonly T[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: T[] = [];
  while (left.length > 0) {
    const group = left.filter(({ priority }) => priority === left[0]?.priority);
    ordered.push(...left.splice(drawByWeight(group, below), 1));
  }
  return ordered;
}

/** The index of one of them. */
function drawByWeight(group: readonly Weighted[], below: (total: number) => number): number {
  let sum = 0;
  const sums = group.map(({ weight }) => {
    sum += weight;
    return sum;
  });
  const drawn = below(sum + 1);
  return sums.findIndex((upTo) => upTo >= drawn);
}
