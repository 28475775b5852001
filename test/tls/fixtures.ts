// Paths of the certificates for tests; README.md says what each is for.

import { join } from 'node:path';

const path = (name: string) => join(import.meta.dirname, name);

/** PEM file, as `outbound.trusted_ca_path` wants it. */
export const TEST_CA = path('ca.crt');

export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

const pair = (name: string): CertificateFiles => ({
  certPath: path(`${name}.crt`),
  keyPath: path(`${name}.key`),
});

/** For `localhost`, `*.test.example`, `127.0.0.1` and `::1`, signed by the test CA. */
export const SERVER_CERTIFICATE = pair('server');
/** For `other.example`, signed by the test CA. */
export const OTHER_CERTIFICATE = pair('other');
/** For the names of SERVER_CERTIFICATE, signed by itself. */
export const UNTRUSTED_CERTIFICATE = pair('untrusted');
