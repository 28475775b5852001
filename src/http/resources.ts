// Groups of endpoints that a listener can serve or not.

export const RESOURCES = ['client', 'media', 'federation', 'key'] as const;
export type Resource = (typeof RESOURCES)[number];

const PREFIXES: readonly (readonly [string, Resource])[] = [
  ['/_matrix/client/', 'client'],
  ['/_matrix/media/', 'media'],
  ['/_matrix/federation/', 'federation'],
  ['/_matrix/key/', 'key'],
  ['/.well-known/matrix/client', 'client'],
  ['/.well-known/matrix/support', 'client'],
  ['/.well-known/matrix/policy_server', 'client'],
  ['/.well-known/matrix/server', 'federation'],
  ['/_synapse/', 'client'],
];

/** `url`: path and query. Undefined: belongs to none, and is served nowhere that resources are named. */
export function resourceOf(url: string): Resource | undefined {
  return PREFIXES.find(([prefix]) => url.startsWith(prefix))?.[1];
}
