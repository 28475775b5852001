// Who is there: users of this server who sync, or say that they are online, until they have done neither for longer than any
// poll takes. Then they are offline: "not connected to an event stream" (Client-Server API, "Presence").

import type { UserId } from '../protocol/identifiers.ts';
import type { ClientapiDependencies } from './context.ts';
import { publishPresence } from './edus.ts';
import { LONGEST_POLL_MS } from './timeout-parameter.ts';
import { withoutUndefined } from './without-undefined.ts';

const GONE_AFTER_MS = LONGEST_POLL_MS + 30_000;

type Needs = Pick<ClientapiDependencies, 'syncserver' | 'eventLog' | 'database' | 'clock'>;

export class Attendance {
  readonly #needs: Needs;
  /** When each was last seen. */
  readonly #seen = new Map<UserId, number>();

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  note(userId: UserId): void {
    const isWatched = this.#seen.has(userId);
    this.#seen.set(userId, this.#needs.clock.now());
    if (!isWatched) this.#lookAgain(userId, GONE_AFTER_MS);
  }

  #lookAgain(userId: UserId, delayMs: number): void {
    this.#needs.clock.schedule(delayMs, () => {
      const left = (this.#seen.get(userId) ?? 0) + GONE_AFTER_MS - this.#needs.clock.now();
      if (left > 0) return this.#lookAgain(userId, left);
      this.#seen.delete(userId);
      void this.#leave(userId);
    });
  }

  async #leave(userId: UserId): Promise<void> {
    const { syncserver, clock } = this.#needs;
    // What cannot be had of her is left out: gone she is all the same.
    const known = await syncserver.queryPresence({ userId }).catch(() => undefined);
    const hasComeBack = this.#seen.has(userId);
    if (hasComeBack || known?.presence === 'offline') return;
    const { last_active_ago: ago, status_msg: message } = known ?? {};
    const presence = {
      presence: 'offline' as const,
      lastActiveTs: clock.now() - (typeof ago === 'number' ? ago : GONE_AFTER_MS),
      statusMsg: typeof message === 'string' ? message : undefined,
    };
    publishPresence(this.#needs, userId, withoutUndefined(presence));
  }
}
