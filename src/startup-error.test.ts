import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explainSystemError } from './startup-error.ts';

test('a file that may not be used is told with the remedy', () => {
  const denied = Object.assign(new Error("EACCES: permission denied, open '/a'"), {
    code: 'EACCES',
  });
  assert.equal(
    explainSystemError(denied),
    "EACCES: permission denied, open '/a': the user that Keyhole runs as must have access to it",
  );
});

test('SQLite is translated, also where it is the cause', () => {
  const sqlite = { code: 'ERR_SQLITE_ERROR', errcode: 14 };
  const cause = Object.assign(new Error('unable to open database file'), sqlite);
  const remedied =
    'unable to open database file: the user that Keyhole runs as must have access to it';
  assert.equal(explainSystemError(cause), remedied);
  assert.equal(explainSystemError(new Error(cause.message, { cause })), remedied);
  const full = Object.assign(new Error('database or disk is full'), { ...sqlite, errcode: 13 });
  assert.equal(explainSystemError(full), 'database or disk is full');
});

test('what speaks for itself is told as it is', () => {
  assert.throws(
    () => readFileSync('/nonexistent/file'),
    (error: unknown) =>
      explainSystemError(error) === "ENOENT: no such file or directory, open '/nonexistent/file'",
  );
  assert.equal(explainSystemError('odd'), 'odd');
});
