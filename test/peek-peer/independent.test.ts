// That the peer is a second opinion: none of its code is that of the server under test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, projectFiles, readProjectFile } from '../../scripts/source-files.ts';

/** What only drives the peer in tests may use the rest. */
const DRIVERS = ['test/peek-peer/scene.ts'];
const CERTIFICATES = 'test/tls/fixtures.ts';

test('the peer imports nothing but itself, Node and certificates', () => {
  const files = projectFiles().filter(
    (path) =>
      path.startsWith('test/peek-peer/') && !path.endsWith('.test.ts') && !DRIVERS.includes(path),
  );
  assert.ok(files.includes('test/peek-peer/peek-peer.ts'));
  const foreign = files.flatMap((path) =>
    importsOf(path, readProjectFile(path))
      .map(({ target }) => target)
      .filter((target) => !/^(node:|test\/peek-peer\/)/.test(target) && target !== CERTIFICATES)
      .map((target) => `${path} imports ${target}`),
  );
  assert.deepEqual(foreign, []);
});
