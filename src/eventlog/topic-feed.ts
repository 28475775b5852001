// What is at hand of one topic: its head, its latest entries as they were appended (so that nobody parses them
// again), and who waits for more. What is no longer at hand is read from the table.

import type { Database } from '../database/database.ts';
import type { DurableTopic } from './entries.ts';
import { type AnyEntry, selectEntriesAfter, selectHead } from './entry-store.ts';

const MAX_RECENT = 1024;
const EVICTED_AT_ONCE = 256;

export class TopicFeed {
  readonly topic: DurableTopic;
  readonly #database: Database;
  readonly #listeners = new Set<() => void>();
  /** All entries with a position above `#floor`, in order. */
  #recent: AnyEntry[] = [];
  #floor = 0;
  #head = 0;

  private constructor(database: Database, topic: DurableTopic) {
    this.#database = database;
    this.topic = topic;
  }

  static async open(database: Database, topic: DurableTopic): Promise<TopicFeed> {
    const feed = new TopicFeed(database, topic);
    feed.reset(await selectHead(database, topic));
    return feed;
  }

  /** The greatest position given so far. */
  get head(): number {
    return this.#head;
  }

  /** Entries in order of position, above all that were published before, without a committed one left out. */
  publish(entries: readonly AnyEntry[]): void {
    for (const entry of entries) {
      this.#recent.push(entry);
      this.#head = entry.position;
    }
    while (this.#recent.length > MAX_RECENT) {
      this.#floor = this.#recent.splice(0, EVICTED_AT_ONCE).at(-1)?.position ?? this.#floor;
    }
    this.#wake();
  }

  /** Forgets what is at hand: something up to `head` may have been committed without our knowing. */
  reset(head: number): void {
    this.#recent = [];
    this.#floor = head;
    this.#head = head;
    this.#wake();
  }

  /** Up to `limit` entries above `after`, in order. */
  async read(after: number, limit: number): Promise<readonly AnyEntry[]> {
    if (after < this.#floor) {
      return selectEntriesAfter(this.#database, { topic: this.topic, after, limit });
    }
    const start = this.#recent.findLastIndex((entry) => entry.position <= after) + 1;
    return this.#recent.slice(start, start + limit);
  }

  /** `listener` is called whenever there may be more to read. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
