// Gives positions where transactions commit in any order (PostgreSQL). Entries are committed without one; then the one
// relay takes what is committed, in order of id, and gives positions in a transaction of its own. Nobody reads an
// entry before that, so whoever has read up to a position has missed nothing.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { DurableTopic } from './entries.ts';
import {
  type AnyEntry,
  insertEntries,
  type SequencedRow,
  selectHead,
  selectPositions,
  updatePositions,
} from './entry-store.ts';
import type { LogTicket } from './eventlog.ts';
import { Pacer } from './pacer.ts';
import type { Feeds, NewEntry, Sequencer } from './sequencer.ts';

const MAX_BATCH = 500;
/** Now and then the table is looked at unasked: the answer to a COMMIT may have been lost, and the entry be there. */
const POLL_MS = 5000;
const MAX_REMEMBERED = 10_000;

export interface RelayOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feeds: Feeds;
  /** The greatest id used so far. */
  readonly lastId: number;
}

export class RelaySequencer implements Sequencer {
  readonly #options: RelayOptions;
  readonly #pacer: Pacer;
  readonly #done: Promise<void>;
  /** Entries appended here that have no position yet, by id. */
  readonly #appended = new Map<number, NewEntry>();
  /** Ids of units that are still open. Their memory is not up to date yet, so nobody may see them, committed or not. */
  readonly #open = new Set<number>();
  readonly #given = new Map<number, number>();
  readonly #waiters = new Map<number, PromiseWithResolvers<number>>();
  #lastId: number;
  #lastPosition = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#lastId = options.lastId;
    this.#pacer = new Pacer(options.clock);
    this.#done = this.#run();
  }

  async append(
    tx: Transaction,
    topic: DurableTopic,
    entries: readonly NewEntry[],
  ): Promise<LogTicket> {
    if (entries.length === 0) return { topic, id: 0 };
    const appended_at = this.#options.clock.now();
    const inserted = entries.map(({ key, entry }) => {
      this.#lastId += 1;
      return {
        id: this.#lastId,
        topic,
        key,
        position: null,
        appended_at,
        entry: JSON.stringify(entry),
      };
    });
    const ids = inserted.map((row) => row.id);
    ids.forEach((id, index) => {
      this.#appended.set(id, entries[index] as NewEntry);
      this.#open.add(id);
    });
    tx.afterCommit(() => this.#close(ids));
    tx.afterRollback(() => {
      for (const id of ids) this.#appended.delete(id);
      this.#close(ids);
    });
    await insertEntries(tx, inserted);
    return { topic, id: ids.at(-1) as number };
  }

  async position(ticket: LogTicket): Promise<number> {
    const { id } = ticket;
    const given = id === 0 ? 0 : this.#given.get(id);
    if (given !== undefined) return given;
    const waiter = this.#waiters.get(id) ?? Promise.withResolvers<number>();
    this.#waiters.set(id, waiter);
    // Not appended by this process, or long ago: the table knows.
    if (!this.#appended.has(id)) await this.#recall([id]);
    return waiter.promise;
  }

  async close(): Promise<void> {
    this.#pacer.close();
    await this.#done;
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const { promise, reject } of waiters) {
      promise.catch(() => undefined);
      reject(new Error('the event log is closed'));
    }
  }

  #close(ids: readonly number[]): void {
    for (const id of ids) this.#open.delete(id);
    this.#pacer.rouse();
  }

  async #run(): Promise<void> {
    let certain = false;
    while (!this.#pacer.closed) {
      try {
        if (!certain) await this.#reload();
        certain = true;
        await this.#step();
      } catch (error) {
        // The positions may have been stored all the same.
        certain = false;
        const { pauseMs } = this.#pacer;
        this.#options.logger.warn({ err: error, pauseMs }, 'the relay waits and tries again');
        await this.#pacer.pause();
      }
    }
  }

  async #reload(): Promise<void> {
    const { database, feeds } = this.#options;
    for (const feed of Object.values(feeds)) {
      feed.reset(await selectHead(database, feed.topic));
      this.#lastPosition = Math.max(this.#lastPosition, feed.head);
    }
    await this.#recall([...this.#appended.keys(), ...this.#waiters.keys()]);
  }

  async #recall(ids: readonly number[]): Promise<void> {
    const stored = await selectPositions(this.#options.database, ids);
    for (const { id, position } of stored) this.#give(id, position);
  }

  async #step(): Promise<void> {
    this.#pacer.look();
    const given = await this.#options.database.transact((tx) =>
      updatePositions(tx, {
        above: this.#lastPosition,
        // Both as of now: of two units on one key the later must not slip in while the earlier is left out.
        upTo: this.#lastId,
        except: [...this.#open],
        limit: MAX_BATCH,
      }),
    );
    this.#deliver(given);
    if (given.length === MAX_BATCH) return;
    const stopPolling = this.#options.clock.schedule(POLL_MS, () => this.#pacer.rouse());
    await this.#pacer.sleep();
    stopPolling();
  }

  #deliver(rows: readonly SequencedRow[]): void {
    const byTopic = new Map<DurableTopic, AnyEntry[]>();
    const unknown = new Set<DurableTopic>();
    for (const { id, topic, key, position } of rows) {
      this.#lastPosition = position;
      const appended = this.#appended.get(id);
      if (appended === undefined) unknown.add(topic);
      const entries = byTopic.get(topic) ?? [];
      entries.push({ topic, key, position, entry: appended?.entry as AnyEntry['entry'] });
      byTopic.set(topic, entries);
    }
    for (const [topic, entries] of byTopic) {
      const feed = this.#options.feeds[topic];
      // What was not appended by this process is read from the table.
      if (unknown.has(topic)) feed.reset(entries.at(-1)?.position ?? feed.head);
      else feed.publish(entries);
    }
    for (const { id, position } of rows) this.#give(id, position);
  }

  #give(id: number, position: number): void {
    this.#appended.delete(id);
    this.#given.set(id, position);
    for (const oldest of this.#given.keys()) {
      if (this.#given.size <= MAX_REMEMBERED) break;
      this.#given.delete(oldest);
    }
    this.#waiters.get(id)?.resolve(position);
    this.#waiters.delete(id);
  }
}
