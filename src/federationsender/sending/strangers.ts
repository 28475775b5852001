// Servers that have never answered, and do not soon: what they miss is noted by room from then on, in place of a queue. Who
// joins a large room meets hundreds that are dead, and it takes long until each is known to be.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Logger } from '../../logger.ts';
import { updateStrangersCatchingUp } from '../store/destinations.ts';

/** ms. */
const SOON_MS = 1_000;
/** In one unit of work. */
const MAX_AT_ONCE = 50;

export interface StrangersOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** They are to catch up: if there is nothing else to send, nobody but who hears this would see to it. */
  readonly onAway: (ids: readonly number[]) => void;
}

export class Strangers {
  readonly #options: StrangersOptions;
  /** When each began to wait, in that order; ms since the epoch. */
  readonly #waiting = new Map<number, number>();
  #isTimed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  /** It is going to be sent to. */
  add(id: number): void {
    if (this.#waiting.has(id)) return;
    this.#waiting.set(id, this.#options.clock.now());
    this.#time();
  }

  /** It has answered or failed, or is not sent to now. */
  remove(id: number): void {
    this.#waiting.delete(id);
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    this.#waiting.clear();
    await this.#writing;
  }

  #time(): void {
    const [first] = this.#waiting.values();
    if (this.#isTimed || first === undefined) return;
    this.#isTimed = true;
    const { clock } = this.#options;
    clock.schedule(Math.max(first + SOON_MS - clock.now(), SOON_MS / 10), () => {
      this.#isTimed = false;
      this.#writing = this.#writing.then(() => this.#look());
    });
  }

  async #look(): Promise<void> {
    const before = this.#options.clock.now() - SOON_MS;
    const late = [...this.#waiting].filter(([, since]) => since <= before).map(([id]) => id);
    for (const id of late) this.#waiting.delete(id);
    for (let start = 0; start < late.length; start += MAX_AT_ONCE) {
      await this.#write(late.slice(start, start + MAX_AT_ONCE));
    }
    this.#time();
  }

  async #write(ids: readonly number[]): Promise<void> {
    const { database, logger, onAway } = this.#options;
    try {
      await database.transact((tx) => updateStrangersCatchingUp(tx, ids));
    } catch (error) {
      logger.warn({ err: error }, 'events are queued for servers that have never answered');
      return;
    }
    onAway(ids);
  }
}
