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
/** Who comes into a room is told of, with her presence, before it is known here that she has come; ms. */
const AGAIN_MS = 3_000;

export interface RemotePresenceOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly set: (userId: UserId, presence: Presence) => void;
}

interface Waiting {
  readonly presence: Presence;
  /** She was looked for in vain already. */
  readonly isLast: boolean;
}

export class RemotePresence {
  readonly #options: RemotePresenceOptions;
  /** The last of each user. */
  readonly #waiting = new Map<UserId, Waiting>();
  /** In vain so far. */
  #strangers = new Map<UserId, Presence>();
  #cancel: (() => void) | undefined;
  #isBusy = false;
  #isClosed = false;

  constructor(options: RemotePresenceOptions) {
    this.#options = options;
  }

  add(userId: UserId, presence: Presence): void {
    this.#strangers.delete(userId);
    this.#put(userId, { presence, isLast: false });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
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
      for (const [userId, { presence, isLast }] of chunk) {
        if (followed.has(userId)) set(userId, presence);
        else if (!isLast) this.#again(userId, presence);
      }
    } catch (error) {
      if (!this.#isClosed) logger.warn({ err: error }, 'presence of other servers was lost');
    }
  }

  #again(userId: UserId, presence: Presence): void {
    if (this.#strangers.size >= MAX_WAITING || this.#waiting.has(userId)) return;
    this.#strangers.set(userId, presence);
    this.#cancel ??= this.#options.clock.schedule(AGAIN_MS, () => {
      this.#cancel = undefined;
      const strangers = this.#strangers;
      this.#strangers = new Map();
      for (const [id, last] of strangers) this.#put(id, { presence: last, isLast: true });
    });
  }
}
