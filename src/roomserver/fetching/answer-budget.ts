// How much of one server's answers about whole states is read: to read tens of megabytes takes seconds of CPU time, which a server
// that attacks would have us spend for every event of its own that it says rests on such a state.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import { entries } from '../../lru-entries.ts';
import type { ServerName } from '../../protocol/identifiers.ts';

/** Bytes: the state of a room of ten thousand members. */
const BURST = 16 * 1024 * 1024;
const BYTES_PER_MS = 128;
const MAX_SERVERS = 10_000;

export class AnswerBudget {
  readonly #clock: Clock;
  /** When all of it is there again, ms since the epoch. */
  readonly #wholeAt = new LRUCache<ServerName, number>(entries(MAX_SERVERS));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The server is not to be asked for now. An answer may be larger than what is left: then it takes longer. */
  isSpent(server: ServerName): boolean {
    return (this.#wholeAt.get(server) ?? 0) - this.#clock.now() > BURST / BYTES_PER_MS;
  }

  spend(server: ServerName, bytes: number): void {
    const from = Math.max(this.#wholeAt.get(server) ?? 0, this.#clock.now());
    this.#wholeAt.set(server, from + bytes / BYTES_PER_MS);
  }
}
