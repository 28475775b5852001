// The grammar of server names (appendices, "Server Name"): a DNS name, an IPv4 literal or an IPv6
// literal in brackets, with or without a port. Nothing is normalised: names are compared as they stand.

const NAME_AND_PORT = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;
const DNS_NAME = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const DOTTED_QUAD = /^[0-9]+(?:\.[0-9]+){3}$/;
const MAX_PORT = 65_535;

export interface HostAndPort {
  /** A DNS name or an IP literal, without brackets. */
  readonly host: string;
  readonly isIp: boolean;
  readonly port: number | undefined;
}

/** The parts of what `isServerNameText` is true of. */
export function hostAndPortOf(serverName: string): HostAndPort {
  const [, name = '', port] = NAME_AND_PORT.exec(serverName) ?? [];
  const isIpv6Literal = name.startsWith('[');
  return {
    host: isIpv6Literal ? name.slice(1, -1) : name,
    isIp: isIpv6Literal || DOTTED_QUAD.test(name),
    port: port === undefined ? undefined : Number(port),
  };
}

export function isServerNameText(text: string): boolean {
  const match = NAME_AND_PORT.exec(text);
  const host = match?.[1];
  if (host === undefined) return false;
  const port = match?.[2];
  if (port !== undefined && (Number(port) === 0 || Number(port) > MAX_PORT)) return false;
  if (host.startsWith('[')) return isIpv6(host.slice(1, -1));
  return DOTTED_QUAD.test(host) ? isIpv4(host) : DNS_NAME.test(host);
}

/** Four decimal numbers from 0 to 255. */
function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

/** RFC 3513, section 2.2: eight groups of hexadecimal digits, `::` once for a run of zeros, IPv4 in the last two. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const last = halves.length - 1;
  const sizes = halves.map((half, i) => countGroups(half, i === last));
  const [head = Number.NaN, tail] = sizes;
  return tail === undefined ? head === 8 : head + tail < 8;
}

/** The number of 16-bit groups in a part between `::`; NaN when one of them is malformed. */
function countGroups(part: string, isLast: boolean): number {
  if (part === '') return 0;
  const groups = part.split(':');
  let count = 0;
  for (const [i, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) count += 1;
    else if (isLast && i === groups.length - 1 && isIpv4(group)) count += 2;
    else return Number.NaN;
  }
  return count;
}
