// What a consumer has on disk, and the transactions that move it: rows, position and parked entries change together.

import type { Clock } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import {
  type ConsumerId,
  deleteParked,
  insertParked,
  selectFirstParked,
  selectIsParked,
  selectOrInsertPosition,
  selectParkedKeys,
  updateParkedError,
  updatePosition,
} from './consumer-store.ts';
import type { DurableTopic } from './entries.ts';
import type { AnyEntry } from './entry-store.ts';
import type { Consumer } from './eventlog.ts';
import { migrations } from './schema.ts';
import { UncertainBatches } from './uncertain.ts';

export type AnyConsumer = Consumer<DurableTopic, unknown>;

/** The stored position is not where this process left it: the answer to a COMMIT was lost, or another process consumes. */
export class PositionMoved extends Error {}

const NONE: ReadonlySet<number> = new Set();
const HELD = 'waits for an earlier entry of its key';
const MAX_ERROR_LENGTH = 1000;

export interface ConsumerStateOptions {
  readonly consumer: AnyConsumer;
  readonly clock: Clock;
  /** Called after COMMIT; `parked` are the positions that were parked rather than applied. */
  readonly onAdvance: (position: number, parked: ReadonlySet<number>) => void;
}

export class ConsumerState {
  readonly #consumer: AnyConsumer;
  readonly #options: ConsumerStateOptions;
  readonly #id: ConsumerId;
  readonly #parkedKeys = new Set<string>();
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
    for (const { consumer, topic, key } of parked) {
      if (consumer === this.#id.consumer && topic === this.#id.topic) this.#parkedKeys.add(key);
    }
    this.#uncertain.resolve(position);
    this.#position = position;
    this.#options.onAdvance(position, NONE);
  }

  /** Applies entries, keeps those of parked keys aside, and moves the position past all, in one transaction. */
  async apply(entries: readonly AnyEntry[]): Promise<void> {
    const live = entries.filter((entry) => !this.#parkedKeys.has(entry.key));
    const held = entries.filter((entry) => this.#parkedKeys.has(entry.key));
    const prepared = live.length > 0 ? await this.#consumer.prepare?.(live) : undefined;
    const to = entries.at(-1)?.position ?? this.#position;
    await this.#uncertain.watch(to, (record) =>
      this.#consumer.database.transact(async (transaction) => {
        const tx = record(transaction);
        await this.#move(tx, entries, held);
        for (const entry of held) await this.#park(tx, entry, HELD);
        if (live.length > 0) await this.#consumer.apply(tx, live, prepared);
      }),
    );
  }

  /** Puts an entry aside that cannot be applied, and with it all that follows for its key. */
  async park(entry: AnyEntry, error: unknown): Promise<void> {
    await this.#consumer.database.transact(async (tx) => {
      tx.afterCommit(() => this.#parkedKeys.add(entry.key));
      await this.#move(tx, [entry], [entry]);
      await this.#park(tx, entry, describe(error));
    });
  }

  /** Applies the next parked entry of the key; false when there is none, and the key is free again. */
  async retryNext(key: string): Promise<boolean> {
    const entry = await selectFirstParked(this.#consumer.database, this.#id, key);
    if (entry === undefined) {
      this.#parkedKeys.delete(key);
      return false;
    }
    try {
      const prepared = await this.#consumer.prepare?.([entry]);
      await this.#consumer.database.transact(async (tx) => {
        await this.#consumer.apply(tx, [entry], prepared);
        await deleteParked(tx, this.#id, entry);
      });
    } catch (error) {
      await this.#consumer.database.transact((tx) =>
        updateParkedError(tx, this.#id, { position: entry.position, error: describe(error) }),
      );
      throw error;
    }
    return true;
  }

  async isParked(position: number): Promise<boolean> {
    if (this.#parkedKeys.size === 0) return false;
    return selectIsParked(this.#consumer.database, this.#id, position);
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
