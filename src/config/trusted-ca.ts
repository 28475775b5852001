// The file of further authorities, `outbound.trusted_ca_path`.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { explainSystemError } from '../startup-error.ts';
import { ConfigError } from './config-error.ts';

/** PEM; undefined where no file is named. Throws ConfigError where it cannot be read or holds no certificate. */
export function readTrustedCa(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const pem = readFileSync(path, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new ConfigError(`outbound.trusted_ca_path: ${path}: ${explainSystemError(error)}`);
  }
}
