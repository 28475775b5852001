// Which authorities are trusted when connecting out: the operating system's, or Node's own where that has none, and those
// of the configuration.

import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** Made at the first call: it takes a tenth of a second, which a server without federation need not spend. */
export function lazySecureContext(trustedCa: string | undefined): () => SecureContext {
  let context: SecureContext | undefined;
  return () => {
    context ??= createSecureContext({ ca: authorities(trustedCa), minVersion: 'TLSv1.2' });
    return context;
  };
}

function authorities(trustedCa: string | undefined): string[] {
  const system = getCACertificates('system');
  const known = system.length > 0 ? system : getCACertificates('bundled');
  const own = trustedCa === undefined ? [] : [trustedCa];
  // Systems name most of them several times, and each takes its time.
  return [...new Set([...known, ...getCACertificates('extra'), ...own])];
}
