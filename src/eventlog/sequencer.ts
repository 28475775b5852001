// Gives entries their ids and positions. Where one writer commits one unit after another (SQLite), the order of
// ids is the order of commits, and the id is the position. Elsewhere see relay.ts.

import type { Clock } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { DurableTopic, EntryOf } from './entries.ts';
import { type AnyEntry, insertEntries } from './entry-store.ts';
import type { LogTicket } from './eventlog.ts';
import type { TopicFeed } from './topic-feed.ts';

export type Feeds = Readonly<Record<DurableTopic, TopicFeed>>;

export interface NewEntry {
  readonly key: string;
  readonly entry: EntryOf[DurableTopic];
}

export interface Sequencer {
  append(tx: Transaction, topic: DurableTopic, entries: readonly NewEntry[]): Promise<LogTicket>;
  position(ticket: LogTicket): Promise<number>;
  close(): Promise<void>;
}

export interface SequencerOptions {
  readonly clock: Clock;
  readonly feeds: Feeds;
  /** The greatest id used so far. */
  readonly lastId: number;
}

/** Ids that were rolled back leave gaps; none is given twice, since the newest entry is never trimmed. */
export class SerialSequencer implements Sequencer {
  readonly #options: SequencerOptions;
  #lastId: number;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#lastId = options.lastId;
  }

  async append(
    tx: Transaction,
    topic: DurableTopic,
    entries: readonly NewEntry[],
  ): Promise<LogTicket> {
    if (entries.length === 0) return { topic, id: 0 };
    const appended: AnyEntry[] = entries.map(({ key, entry }) => {
      this.#lastId += 1;
      return { topic, key, entry, position: this.#lastId };
    });
    const ticket = { topic, id: this.#lastId };
    const now = this.#options.clock.now();
    tx.afterCommit(() => this.#options.feeds[topic].publish(appended));
    await insertEntries(
      tx,
      appended.map((entry) => ({
        id: entry.position,
        topic,
        key: entry.key,
        position: entry.position,
        appended_at: now,
        entry: JSON.stringify(entry.entry),
      })),
    );
    return ticket;
  }

  async position(ticket: LogTicket): Promise<number> {
    return ticket.id;
  }

  async close(): Promise<void> {}
}
