// Runs one consumer: reads what is new, has it applied in batches, finds and parks the entry that fails, and waits
// while the database cannot be had.

import type { Clock } from '../clock.ts';
import { DatabaseError } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import {
  type AnyConsumer,
  ConsumerState,
  type ConsumerStateOptions,
  PositionMoved,
} from './consumer-state.ts';
import type { AnyEntry } from './entry-store.ts';
import type { Subscription } from './eventlog.ts';
import { Pacer } from './pacer.ts';
import { PositionWaiters } from './position-waiters.ts';
import { upToResumed } from './resumed.ts';
import type { TopicFeed } from './topic-feed.ts';

const MAX_BATCH = 200;

export interface ConsumerLoopOptions {
  readonly consumer: AnyConsumer;
  readonly feed: TopicFeed;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly append: ConsumerStateOptions['append'];
  readonly onClose: () => void;
}

interface RetryRequest {
  readonly key: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class ConsumerLoop implements Subscription {
  readonly #options: ConsumerLoopOptions;
  readonly #state: ConsumerState;
  readonly #waiters: PositionWaiters;
  readonly #pacer: Pacer;
  /** To be begun. */
  readonly #retries: RetryRequest[] = [];
  /** Begun, but not all has been applied yet. */
  readonly #resumes = new Map<string, RetryRequest[]>();
  readonly #done: Promise<void>;

  constructor(options: ConsumerLoopOptions) {
    const { consumer, clock } = options;
    const logger = options.logger.child({ consumer: consumer.name, topic: consumer.topic });
    this.#options = { ...options, logger };
    this.#waiters = new PositionWaiters(clock);
    this.#pacer = new Pacer(clock);
    this.#state = new ConsumerState({
      consumer,
      clock,
      append: options.append,
      onAdvance: (position, parked) => this.#waiters.advance(position, parked),
      onResumed: (key, isFree) => this.#resumed(key, isFree),
    });
    this.#done = this.#run();
  }

  get consumer(): AnyConsumer {
    return this.#options.consumer;
  }

  get position(): number {
    return this.#state.position;
  }

  async reached(position: number, timeoutMs: number): Promise<boolean> {
    if (this.#pacer.closed) return false;
    if (this.#state.position < position) return this.#waiters.wait(position, timeoutMs);
    return !(await this.#state.isParked(position));
  }

  /** Between batches, so that nothing new of the key overtakes what was parked. */
  retry(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#pacer.closed) throw new Error('the consumer is closed');
      this.#retries.push({ key, resolve, reject });
      this.#pacer.rouse();
    });
  }

  async close(): Promise<void> {
    this.#pacer.close();
    await this.#done;
    this.#waiters.close();
    const begun = [...this.#resumes.values()].flat();
    for (const { reject } of [...this.#retries, ...begun]) {
      reject(new Error('the consumer is closed'));
    }
    this.#options.onClose();
  }

  async #run(): Promise<void> {
    const unlisten = this.#options.feed.listen(() => this.#pacer.rouse());
    let loaded = false;
    let isFirst = true;
    while (!this.#pacer.closed) {
      try {
        if (!loaded) await this.#state.load();
        loaded = true;
        if (isFirst) await this.#retryParked();
        isFirst = false;
        await this.#step();
      } catch (error) {
        // What was committed is no longer certain: the answer to a COMMIT may be what got lost.
        loaded = false;
        const { pauseMs } = this.#pacer;
        this.#options.logger.warn({ err: error, pauseMs }, 'consumer waits and tries again');
        await this.#pacer.pause();
      }
    }
    unlisten();
  }

  async #step(): Promise<void> {
    this.#pacer.look();
    await this.#retryNext();
    const { feed, consumer } = this.#options;
    const read = await feed.read(this.#state.position, MAX_BATCH);
    const entries = upToResumed(read, consumer.name);
    if (entries.length > 0) await this.#consume(entries);
    else if (this.#retries.length === 0) await this.#pacer.sleep();
  }

  /** What has failed before a restart may have failed for a reason that is gone, such as a fault that is mended. */
  async #retryParked(): Promise<void> {
    for (const key of this.#state.parkedKeys) await this.#state.resume(key);
  }

  /** What came of the key meanwhile was parked, and goes on next. */
  #resumed(key: string, isFree: boolean): void {
    const requests = this.#resumes.get(key) ?? [];
    this.#resumes.delete(key);
    if (isFree) {
      this.#options.logger.info({ key }, 'what was parked has been applied');
      for (const { resolve } of requests) resolve();
    } else {
      const ignored = { key, resolve: () => undefined, reject: () => undefined };
      this.#retries.push(...(requests.length > 0 ? requests : [ignored]));
    }
  }

  #failed(key: string, error: unknown): void {
    const requests = this.#resumes.get(key) ?? [];
    this.#resumes.delete(key);
    for (const { reject } of requests) reject(error);
  }

  async #retryNext(): Promise<void> {
    const request = this.#retries.shift();
    if (request === undefined) return;
    const { key } = request;
    try {
      if (!(await this.#state.resume(key))) return request.resolve();
      this.#resumes.set(key, [...(this.#resumes.get(key) ?? []), request]);
    } catch (error) {
      request.reject(error);
      throw error;
    }
  }

  async #consume(entries: readonly AnyEntry[]): Promise<void> {
    try {
      await this.#state.apply(entries);
    } catch (error) {
      if (!isFaultOfEntry(error)) throw error;
      await this.#isolate(entries, error);
    }
  }

  /** Finds the entry that fails among several; a single one is parked. */
  async #isolate(entries: readonly AnyEntry[], error: unknown): Promise<void> {
    const [entry] = entries;
    if (entry === undefined || entry.position <= this.#state.position) {
      this.#options.logger.error({ err: error }, 'an effect failed after its COMMIT');
    } else if (entries.length > 1) {
      for (const each of entries) await this.#consume([each]);
    } else {
      await this.#state.park(entry, error);
      this.#failed(entry.key, error);
      this.#options.logger.error(
        { key: entry.key, position: entry.position, err: error },
        'an entry of the event log failed: its key is parked until it is retried',
      );
    }
  }
}

function isFaultOfEntry(error: unknown): boolean {
  if (error instanceof PositionMoved) return false;
  return !(error instanceof DatabaseError && error.kind === 'unavailable');
}
