// Lists of IP networks in CIDR notation, and whether an address lies in one of them. IPv4 is seen through all the ways in
// which IPv6 carries it, or a list of IPv4 networks would be got round.

import { isIPv4, isIPv6 } from 'node:net';

interface Network {
  readonly prefix: bigint;
  /** Of the 128 bits of IPv6, as which IPv4 is kept, too. */
  readonly bits: number;
}

const IPV4_MAPPED = 0xffffn << 32n;

/** The 96 bits before an IPv4 address: compatible (deprecated), NAT64, NAT64 of one's own network. */
const BEFORE_IPV4 = [0n, 0x64ff9bn << 64n, 0x64ff9b0001n << 48n];
const SIX_TO_FOUR = 0x2002n;

export class NetworkList {
  readonly #networks: readonly Network[];

  /** Throws where `isNetwork` is false of one. */
  constructor(networks: readonly string[]) {
    this.#networks = networks.map((text) => {
      const network = parseNetwork(text);
      if (network === undefined) throw new Error(`${text} is no network`);
      return network;
    });
  }

  /** True for whatever is no address. */
  contains(address: string): boolean {
    const value = parseAddress(address);
    if (value === undefined) return true;
    return this.#networks.some(({ prefix, bits }) =>
      [value, ...carriedIpv4(value)].some((one) => leading(one, bits) === leading(prefix, bits)),
    );
  }
}

/** Whether the text is an address, or a network such as `10.0.0.0/8` or `fc00::/7`. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([^/%]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const prefix = parseAddress(address);
  if (prefix === undefined) return undefined;
  const size = isIPv4(address) ? 32 : 128;
  const bits = length === undefined ? size : Number(length);
  return bits > size ? undefined : { prefix, bits: bits + 128 - size };
}

function leading(value: bigint, bits: number): bigint {
  return value >> BigInt(128 - bits);
}

function carriedIpv4(value: bigint): readonly bigint[] {
  const last = value & 0xffff_ffffn;
  if (BEFORE_IPV4.includes(value >> 32n)) return [IPV4_MAPPED | last];
  if (value >> 112n === SIX_TO_FOUR) return [IPV4_MAPPED | ((value >> 80n) & 0xffff_ffffn)];
  return [];
}

/** Without its zone, such as `%eth0`. */
function parseAddress(text: string): bigint | undefined {
  const [address = ''] = text.split('%');
  if (isIPv4(address)) return IPV4_MAPPED | parseIpv4(address);
  return isIPv6(address) ? parseIpv6(address) : undefined;
}

function parseIpv4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint {
  const [head = [], tail = []] = text.split('::').map(groupsOf);
  const zeros = Array<bigint>(8 - head.length - tail.length).fill(0n);
  return [...head, ...zeros, ...tail].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(part: string): readonly bigint[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const value = parseIpv4(group);
    return [value >> 16n, value & 0xffffn];
  });
}
