// Listeners as the HTTP server takes them: with certificates read from their files.

import { readFileSync } from 'node:fs';
import type { ListenerOptions } from '../http/listener.ts';
import { explainSystemError } from '../startup-error.ts';
import type { ListenerConfig } from './config.ts';
import { ConfigError } from './config-error.ts';

/** Throws ConfigError where a file cannot be read. */
export function readListeners(listeners: readonly ListenerConfig[]): readonly ListenerOptions[] {
  return listeners.map(({ tls, ...listener }) => {
    if (tls === undefined) return listener;
    const cert = readPem(tls.certPath, 'tls_cert_path');
    return { ...listener, tls: { cert, key: readPem(tls.keyPath, 'tls_key_path') } };
  });
}

function readPem(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${key}: ${explainSystemError(error)}`);
  }
}
