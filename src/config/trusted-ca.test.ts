import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SERVER_CERTIFICATE, TEST_CA } from '../../test/tls/fixtures.ts';
import { ConfigError } from './config-error.ts';
import { readTrustedCa } from './trusted-ca.ts';

test('the file of authorities is read, and has to hold a certificate', () => {
  assert.equal(readTrustedCa(undefined), undefined);
  assert.equal(readTrustedCa(TEST_CA), readFileSync(TEST_CA, 'utf8'));
  for (const path of ['/none/ca.pem', import.meta.filename, SERVER_CERTIFICATE.keyPath]) {
    assert.throws(
      () => readTrustedCa(path),
      (error) =>
        error instanceof ConfigError &&
        error.message.startsWith(`outbound.trusted_ca_path: ${path}: `),
    );
  }
});
