import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explainFileError } from './startup-error.ts';

test('a file that may not be used is told with the remedy', () => {
  const denied = Object.assign(new Error("EACCES: permission denied, open '/a'"), {
    code: 'EACCES',
  });
  assert.equal(
    explainFileError(denied),
    "EACCES: permission denied, open '/a': the user that Keyhole runs as must have access to it",
  );
});

test('what speaks for itself is told as it is', () => {
  assert.throws(
    () => readFileSync('/nonexistent/file'),
    (error: unknown) =>
      explainFileError(error) === "ENOENT: no such file or directory, open '/nonexistent/file'",
  );
  assert.equal(explainFileError('odd'), 'odd');
});
