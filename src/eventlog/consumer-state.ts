// What a consumer has on disk, and the transactions that move it: rows, position and parked entries change together.

import type { Clock } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import {
  type ConsumerId,
  deleteParked,
  deleteResuming,
  HELD,
  hasParked,
  insertParked,
  insertResuming,
  RESUMING,
  selectIsParked,
  selectOrInsertPosition,
  selectParked,
  selectParkedKeys,
  updatePosition,
} from './consumer-store.ts';
import type { DurableTopic } from './entries.ts';
import type { AnyEntry } from './entry-store.ts';
import type { Consumer } from './eventlog.ts';
import { appendedAgain, resumedOf } from './resumed.ts';
import { migrations } from './schema.ts';
import type { NewEntry } from './sequencer.ts';
import { UncertainBatches } from './uncertain.ts';

export type AnyConsumer = Consumer<DurableTopic, unknown>;

/** The stored position is not where this process left it: the answer to a COMMIT was lost, or another process consumes. */
export class PositionMoved extends Error {}

const NONE: ReadonlySet<number> = new Set();
const MAX_ERROR_LENGTH = 1000;

export interface ConsumerStateOptions {
  readonly consumer: AnyConsumer;
  readonly clock: Clock;
  /** Called after COMMIT; `parked` are the positions that were parked rather than applied. */
  readonly onAdvance: (position: number, parked: ReadonlySet<number>) => void;
  /** Appends to the topic, in a transaction of the consumer's database. */
  readonly append: (tx: Transaction, entries: readonly NewEntry[]) => Promise<unknown>;
  /** The parked entries of the key have been applied; `isFree`: nothing was parked meanwhile. Called after COMMIT. */
  readonly onResumed: (key: string, isFree: boolean) => void;
}

export class ConsumerState {
  readonly #consumer: AnyConsumer;
  readonly #options: ConsumerStateOptions;
  readonly #id: ConsumerId;
  readonly #parkedKeys = new Set<string>();
  /** Those of them whose entries are in the log again. */
  readonly #resuming = new Set<string>();
  readonly #uncertain = new UncertainBatches();
  #position = 0;

  constructor(options: ConsumerStateOptions) {
    this.#options = options;
    this.#consumer = options.consumer;
    this.#id = { consumer: options.consumer.name, topic: options.consumer.topic };
  }

  get position(): number {
    return this.#position;
  }

  get parkedKeys(): readonly string[] {
    return [...this.#parkedKeys];
  }

  async load(): Promise<void> {
    const { database } = this.#consumer;
    await database.migrate('eventlog', migrations);
    const position = await selectOrInsertPosition(database, this.#id);
    const parked = await selectParkedKeys(database);
    this.#parkedKeys.clear();
    this.#resuming.clear();
    for (const { consumer, topic, key, position: first } of parked) {
      if (consumer !== this.#id.consumer || topic !== this.#id.topic) continue;
      this.#parkedKeys.add(key);
      if (first === RESUMING) this.#resuming.add(key);
    }
    this.#uncertain.resolve(position);
    this.#position = position;
    this.#options.onAdvance(position, NONE);
  }

  /** Applies entries, keeps those of parked keys aside, and moves the position past all, in one transaction. */
  async apply(entries: readonly AnyEntry[]): Promise<void> {
    const live = entries.filter((entry) => this.#fateOf(entry) === 'live');
    const held = entries.filter((entry) => this.#fateOf(entry) === 'held');
    const prepared = live.length > 0 ? await this.#consumer.prepare?.(live) : undefined;
    const to = entries.at(-1)?.position ?? this.#position;
    await this.#uncertain.watch(to, (record) =>
      this.#consumer.database.transact(async (transaction) => {
        const tx = record(transaction);
        await this.#move(tx, entries, held);
        for (const entry of held) await this.#park(tx, entry, HELD);
        if (live.length > 0) await this.#consumer.apply(tx, live, prepared);
        for (const entry of live) {
          if (resumedOf(entry)?.isLast === true) await this.#endResuming(tx, entry.key);
        }
      }),
    );
  }

  /** Puts an entry aside that cannot be applied, and with it all that follows for its key. */
  async park(entry: AnyEntry, error: unknown): Promise<void> {
    await this.#consumer.database.transact(async (tx) => {
      tx.afterCommit(() => {
        this.#parkedKeys.add(entry.key);
        this.#resuming.delete(entry.key);
      });
      await this.#move(tx, [entry], [entry]);
      await deleteResuming(tx, this.#id, entry.key);
      await this.#park(tx, entry, describe(error));
    });
  }

  /**
   * Appends the parked entries of the key to the log again; what comes of the key before they have been applied is
   * parked. False when there is nothing to wait for.
   */
  async resume(key: string): Promise<boolean> {
    if (this.#resuming.has(key)) return true;
    const { database, name } = this.#consumer;
    const entries = await selectParked(database, this.#id, key);
    if (entries.length === 0) {
      this.#parkedKeys.delete(key);
      return false;
    }
    await database.transact(async (tx) => {
      await deleteParked(tx, this.#id, key);
      await insertResuming(tx, this.#id, { key, now: this.#options.clock.now() });
      tx.afterCommit(() => this.#resuming.add(key));
      await this.#options.append(tx, appendedAgain(entries, name));
    });
    return true;
  }

  async isParked(position: number): Promise<boolean> {
    if (this.#parkedKeys.size === 0) return false;
    return selectIsParked(this.#consumer.database, this.#id, position);
  }

  #fateOf(entry: AnyEntry): 'live' | 'held' | 'of others' {
    const resumed = resumedOf(entry);
    if (resumed !== undefined && resumed.consumer !== this.#id.consumer) return 'of others';
    if (!this.#parkedKeys.has(entry.key)) return 'live';
    return resumed !== undefined && this.#resuming.has(entry.key) ? 'live' : 'held';
  }

  async #endResuming(tx: Transaction, key: string): Promise<void> {
    await deleteResuming(tx, this.#id, key);
    const isFree = !(await hasParked(tx, this.#id, key));
    tx.afterCommit(() => {
      this.#resuming.delete(key);
      if (isFree) this.#parkedKeys.delete(key);
      this.#options.onResumed(key, isFree);
    });
  }

  async #move(
    tx: Transaction,
    entries: readonly AnyEntry[],
    parked: readonly AnyEntry[],
  ): Promise<void> {
    const from = this.#position;
    const to = entries.at(-1)?.position ?? from;
    // Registered before the consumer's own effects are: whoever these wake finds the position moved.
    tx.afterCommit(() => {
      this.#position = to;
      this.#options.onAdvance(to, new Set(parked.map((entry) => entry.position)));
    });
    if (!(await updatePosition(tx, this.#id, { from, to }))) throw new PositionMoved();
  }

  async #park(tx: Transaction, entry: AnyEntry, error: string): Promise<void> {
    await insertParked(tx, this.#id, { entry, error, now: this.#options.clock.now() });
  }
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, MAX_ERROR_LENGTH).replaceAll('\0', ' ').toWellFormed();
}
