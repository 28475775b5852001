// Keeps a second process off the same data folder. Node has no flock(); the lock that SQLite holds on a file of
// its own is one of the kernel's, and so ends with the process however that ends.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/** Returns what gives the folder back. @throws Error naming the folder when another process has it. */
export function lockDataFolder(folder: string): () => void {
  const path = join(folder, 'keyhole.lock');
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw refusal(folder, cause);
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}

function refusal(folder: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  if (code !== SQLITE_BUSY) return cause;
  return new Error(
    `The data folder ${folder} is in use by another process. ` +
      'Stop that process, or give this one a data folder of its own.',
    { cause },
  );
}
