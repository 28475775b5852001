// Wakes many users. Each who waits is answered in the same turn of the event loop: of very many, some at a time.

import type { LiveUser } from './live-user.ts';

const AT_ONCE = 32;

/** From here on none of them finds that there is nothing to tell. */
export function wakeAll(users: Iterable<LiveUser | undefined>): void {
  const waiting: LiveUser[] = [];
  for (const user of users) {
    user?.noteChange();
    if (user?.isWaiting) waiting.push(user);
  }
  wakeSome(waiting, 0);
}

function wakeSome(waiting: readonly LiveUser[], start: number): void {
  const end = start + AT_ONCE;
  for (const user of waiting.slice(start, end)) user.endWaits();
  if (end < waiting.length) setImmediate(wakeSome, waiting, end);
}
