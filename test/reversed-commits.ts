// For `beforeCommit` of PostgreSQL, where units run side by side: makes them commit in another order than they began.

import { setTimeout as sleep } from 'node:timers/promises';

/** Who waits alone is let go after this. */
const ALONE_MS = 4;
/** What the other COMMIT takes, and more. */
const AHEAD_MS = 2;

/** Every unit that is about to commit waits for the next one to have gone ahead, or briefly. */
export function reversedCommits(): () => Promise<void> {
  let letGo: (() => void) | undefined;
  return async () => {
    if (letGo !== undefined) {
      letGo();
      letGo = undefined;
      return;
    }
    const next = Promise.withResolvers<void>();
    letGo = next.resolve;
    const isOvertaken = next.promise.then(() => sleep(AHEAD_MS));
    await Promise.race([isOvertaken, sleep(ALONE_MS)]);
    if (letGo === next.resolve) letGo = undefined;
  };
}
