// The address a request came from; behind a reverse proxy, the one the proxy vouches for.

import type { IncomingMessage } from 'node:http';

const forwarded = new WeakMap<IncomingMessage, string>();

/**
 * For listeners that only a proxy can reach: the last entry of X-Forwarded-For is what that proxy saw,
 * everything before it is the client's own claim.
 */
export function trustForwardedFor(request: IncomingMessage): void {
  const header = request.headers['x-forwarded-for'];
  const last = (Array.isArray(header) ? header.at(-1) : header)?.split(',').at(-1)?.trim();
  if (last !== undefined && last !== '') forwarded.set(request, last);
}

export function remoteAddressOf(request: IncomingMessage): string {
  const address = forwarded.get(request) ?? request.socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
