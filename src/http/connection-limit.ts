// How many connections there may be at once: each takes a file descriptor, and some have to be left for everything else.

import { readFileSync } from 'node:fs';

/** For the database, its log, uploads and connections to elsewhere. */
const RESERVED = 256;

/** `wanted`, or fewer where the process may not open so many files. */
export function connectionLimit(wanted: number): number {
  return Math.min(wanted, Math.max(1, openFilesLimit() - RESERVED));
}

/** Elsewhere than on Linux nothing is known of it. */
function openFilesLimit(): number {
  try {
    const [, soft] =
      /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return Number.isSafeInteger(Number(soft)) ? Number(soft) : Number.POSITIVE_INFINITY;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.POSITIVE_INFINITY;
    throw error;
  }
}
