// Presence of users of other servers on its way in: of those alone who share a room with anybody here, a few at a time. Their servers
// may tell of as many as they like.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Presence } from '../../eventlog/entries.ts';
import { giveWay } from '../../give-way.ts';
import type { Logger } from '../../logger.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import { selectFollowed } from '../store/remote-members.ts';

/** What comes for others meanwhile is lost. */
const MAX_WAITING = 10_000;
const CHUNK = 100;
/** Who comes into a room is told of, with her presence, before it is known here that she has come: how long after that she is looked for; ms. */
const AGAIN_AFTER_MS = [500, 3_000];

export interface RemotePresenceOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly set: (userId: UserId, presence: Presence) => void;
}

interface Waiting {
  readonly presence: Presence;
  /** How often she was looked for in vain. */
  readonly inVain: number;
}

export class RemotePresence {
  readonly #options: RemotePresenceOptions;
  /** The last of each user. */
  readonly #waiting = new Map<UserId, Waiting>();
  /** In vain so far. */
  readonly #strangers = new Map<UserId, Waiting>();
  /** By how often those whom they are for were looked for. */
  readonly #timers = new Map<number, () => void>();
  #isBusy = false;
  #isClosed = false;

  constructor(options: RemotePresenceOptions) {
    this.#options = options;
  }

  add(userId: UserId, presence: Presence): void {
    this.#strangers.delete(userId);
    this.#put(userId, { presence, inVain: 0 });
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
  }

  #put(userId: UserId, waiting: Waiting): void {
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(userId)) return;
    this.#waiting.set(userId, waiting);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.size > 0 && !this.#isClosed) {
      const chunk = [...this.#waiting.entries().take(CHUNK)];
      for (const [userId] of chunk) this.#waiting.delete(userId);
      await this.#look(chunk);
      await giveWay();
    }
    this.#isBusy = false;
  }

  async #look(chunk: readonly (readonly [UserId, Waiting])[]): Promise<void> {
    const { database, logger, set } = this.#options;
    try {
      const userIds = chunk.map(([userId]) => userId);
      const followed = new Set(await selectFollowed(database, userIds));
      for (const [userId, waiting] of chunk) {
        if (followed.has(userId)) set(userId, waiting.presence);
        else this.#again(userId, waiting);
      }
    } catch (error) {
      if (!this.#isClosed) logger.warn({ err: error }, 'presence of other servers was lost');
    }
  }

  #again(userId: UserId, { presence, inVain }: Waiting): void {
    const afterMs = AGAIN_AFTER_MS[inVain];
    const isFull = this.#strangers.size >= MAX_WAITING;
    if (afterMs === undefined || isFull || this.#waiting.has(userId)) return;
    const times = inVain + 1;
    this.#strangers.set(userId, { presence, inVain: times });
    if (this.#timers.has(times)) return;
    const cancel = this.#options.clock.schedule(afterMs, () => this.#retry(times));
    this.#timers.set(times, cancel);
  }

  #retry(times: number): void {
    this.#timers.delete(times);
    for (const [userId, stranger] of [...this.#strangers]) {
      if (stranger.inVain !== times) continue;
      this.#strangers.delete(userId);
      this.#put(userId, stranger);
    }
  }
}
