import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadSigningKey } from './signing-key-file.ts';
import { StartupError } from './startup-error.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a missing key is made once, for its owner alone, with the folders on the way', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'deep', 'er', 'signing.key');
  const made = loadSigningKey(file);
  assert.equal(readFileSync(file, 'utf8'), `${made.fileText}\n`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, 'deep', 'er')), ['signing.key']);
  assert.equal(loadSigningKey(file).publicKey, made.publicKey);
});

test('a file that holds no key is refused and left as it is', (t) => {
  const file = join(temporaryFolder(t), 'signing.key');
  for (const text of ['', 'ed25519 a_b', 'ed25519 a_b c2hvcnQ', 'garbage']) {
    writeFileSync(file, text);
    assert.throws(() => loadSigningKey(file), StartupError);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('where no file can be made or read the reason is told', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => loadSigningKey(join(folder, 'file', 'signing.key')), {
    name: 'StartupError',
    message: /^signing_key_path: .*ENOTDIR/,
  });
  chmodSync(folder, 0o700);
  assert.throws(() => loadSigningKey(folder), { message: /^signing_key_path: .*EISDIR/ });
});
