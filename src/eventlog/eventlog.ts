// The event log: everything that follows from an accepted change travels through it.

import type { Database, Transaction } from '../database/database.ts';
import type { DurableTopic, EntryOf, EphemeralTopic } from './entries.ts';

/** An entry as a consumer gets it. Positions rise by commit order, per topic, starting at 1; they may have gaps. */
export interface LogEntry<T extends DurableTopic> {
  readonly topic: T;
  readonly position: number;
  readonly key: string;
  readonly entry: EntryOf[T];
}

/** What `append` leaves behind: ask `EventLog.position` for it after COMMIT. */
export interface LogTicket {
  readonly topic: DurableTopic;
  readonly id: number;
}

export interface EventLog {
  /**
   * Appends entries in the transaction that makes them true. Entries of one call, and of successive
   * transactions on the same key, keep their order.
   */
  append<T extends DurableTopic>(
    tx: Transaction,
    topic: T,
    entries: readonly { readonly key: string; readonly entry: EntryOf[T] }[],
  ): Promise<LogTicket>;

  /** The position of the last entry of the ticket. Call it after COMMIT; resolves as soon as it is sequenced. */
  position(ticket: LogTicket): Promise<number>;

  /** The greatest position given so far on this topic, 0 when none. */
  head(topic: DurableTopic): Promise<number>;

  /** Before anything new, it tries once again what it had parked. */
  consume<T extends DurableTopic, P = undefined>(consumer: Consumer<T, P>): Subscription;

  /** Never on disk: reaches those who listen in this process (or cluster) now. */
  publishEphemeral<T extends EphemeralTopic>(topic: T, key: string, entry: EntryOf[T]): void;
  listenEphemeral<T extends EphemeralTopic>(
    topic: T,
    listener: (key: string, entry: EntryOf[T]) => void,
  ): () => void;

  /** Keys that are parked because an entry of theirs failed. */
  parked(): Promise<ParkedKey[]>;
  /**
   * Lets the consumer try the parked entries of a key again, in order, with positions after all others; resolves once
   * it has applied them. Rejects when one fails again, which parks it with the rest.
   */
  retry(consumer: string, topic: DurableTopic, key: string): Promise<void>;

  /** Drops entries that every known consumer has passed and that are older than the retention time. */
  trim(): Promise<void>;
  close(): Promise<void>;
}

/**
 * One consumer of one topic. `apply` runs in the transaction that also stores the consumer's position, so its
 * rows are written once however often an entry is delivered. An entry whose `apply` throws parks its key.
 */
export interface Consumer<T extends DurableTopic, P = undefined> {
  /** Unique and stable: positions are stored under it, e.g. `syncserver`. */
  readonly name: string;
  readonly topic: T;
  /** Where its rows are. */
  readonly database: Database;
  /** Reads and computes before the transaction; no network. */
  readonly prepare?: (entries: readonly LogEntry<T>[]) => Promise<P>;
  /** Called with one or more entries in order of position. Awaits nothing but `tx`; memory changes go through `tx.afterCommit`. */
  readonly apply: (tx: Transaction, entries: readonly LogEntry<T>[], prepared: P) => Promise<void>;
}

export interface Subscription {
  /** The position up to which this consumer has committed. */
  readonly position: number;
  /** Resolves true once the consumer has committed `position`, false after `timeoutMs` or when a key is parked. */
  reached(position: number, timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface ParkedKey {
  readonly consumer: string;
  readonly topic: DurableTopic;
  readonly key: string;
  readonly position: number;
  readonly error: string;
}
