// The file of the server's signing key: made when missing, readable by its owner alone.

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generateSigningKey, parseSigningKey, type SigningKey } from './protocol/signing-key.ts';
import { explainSystemError, StartupError } from './startup-error.ts';

/** Throws StartupError where the file holds no key, cannot be read or cannot be made. */
export function loadSigningKey(file: string): SigningKey {
  try {
    return parseSigningKey(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw refusal(file, error);
  }
  try {
    return makeKeyFile(file);
  } catch (error) {
    throw refusal(file, error);
  }
}

/** The whole key appears under its name at once, and never in place of one that is there. */
function makeKeyFile(file: string): SigningKey {
  const key = generateSigningKey();
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${randomUUID()}`;
  writeFileSync(unfinished, `${key.fileText}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(unfinished, file);
  } finally {
    unlinkSync(unfinished);
  }
  return key;
}

function refusal(file: string, error: unknown): StartupError {
  const reason = explainSystemError(error);
  return new StartupError(`signing_key_path: ${file}: ${reason}`, { cause: error });
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
