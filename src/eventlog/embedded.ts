// The event log as tables of a database of ours, for everything in one process.

import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import { ConsumerLoop } from './consumer-loop.ts';
import type { AnyConsumer } from './consumer-state.ts';
import { selectLeastPosition, selectParkedKeys } from './consumer-store.ts';
import type { DurableTopic, EntryOf, EphemeralTopic } from './entries.ts';
import { deleteEntriesBefore, selectGreatestId } from './entry-store.ts';
import { EphemeralTopics } from './ephemeral.ts';
import type { Consumer, EventLog, LogTicket, ParkedKey, Subscription } from './eventlog.ts';
import { RelaySequencer } from './relay.ts';
import { migrations } from './schema.ts';
import { type Feeds, type NewEntry, type Sequencer, SerialSequencer } from './sequencer.ts';
import { TopicFeed } from './topic-feed.ts';

const DAY_MS = 86_400_000;
const TRIM_INTERVAL_MS = 600_000;
const TRIMMED_AT_ONCE = 1000;

export interface EmbeddedLogOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long entries are kept that everybody has consumed; ms. */
  readonly retentionMs?: number;
}

export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const { database, clock, logger } = options;
  await database.migrate('eventlog', migrations);
  const feeds = await openFeeds(database);
  const lastId = await selectGreatestId(database);
  const sequencer =
    database.engine === 'sqlite'
      ? new SerialSequencer({ clock, feeds, lastId })
      : new RelaySequencer({ database, clock, logger, feeds, lastId });
  return new EmbeddedLog(options, feeds, sequencer);
}

async function openFeeds(database: Database): Promise<Feeds> {
  const open = (topic: DurableTopic) => TopicFeed.open(database, topic);
  return {
    'roomserver.output': await open('roomserver.output'),
    'userserver.output': await open('userserver.output'),
    'syncserver.peek_interest': await open('syncserver.peek_interest'),
    'federationsender.output': await open('federationsender.output'),
    'edu.to_device': await open('edu.to_device'),
    'edu.receipt': await open('edu.receipt'),
  };
}

class EmbeddedLog implements EventLog {
  readonly #options: EmbeddedLogOptions;
  readonly #feeds: Feeds;
  readonly #sequencer: Sequencer;
  readonly #ephemeral: EphemeralTopics;
  readonly #loops = new Set<ConsumerLoop>();
  #cancelTrim: () => void = () => {};

  constructor(options: EmbeddedLogOptions, feeds: Feeds, sequencer: Sequencer) {
    this.#options = options;
    this.#feeds = feeds;
    this.#sequencer = sequencer;
    this.#ephemeral = new EphemeralTopics(options.logger);
    this.#scheduleTrim();
  }

  append<T extends DurableTopic>(
    tx: Transaction,
    topic: T,
    entries: readonly { readonly key: string; readonly entry: EntryOf[T] }[],
  ): Promise<LogTicket> {
    return this.#sequencer.append(tx, topic, entries as readonly NewEntry[]);
  }

  position(ticket: LogTicket): Promise<number> {
    return this.#sequencer.position(ticket);
  }

  async head(topic: DurableTopic): Promise<number> {
    return this.#feeds[topic].head;
  }

  consume<T extends DurableTopic, P = undefined>(consumer: Consumer<T, P>): Subscription {
    if (this.#loopOf(consumer.name, consumer.topic) !== undefined) {
      throw new Error(`${consumer.name} already consumes ${consumer.topic}`);
    }
    const loop: ConsumerLoop = new ConsumerLoop({
      consumer: consumer as unknown as AnyConsumer,
      feed: this.#feeds[consumer.topic],
      clock: this.#options.clock,
      logger: this.#options.logger,
      append: (tx, entries) => this.#appendAgain(tx, consumer, entries),
      onClose: () => this.#loops.delete(loop),
    });
    this.#loops.add(loop);
    return loop;
  }

  publishEphemeral<T extends EphemeralTopic>(topic: T, key: string, entry: EntryOf[T]): void {
    this.#ephemeral.publish(topic, key, entry);
  }

  listenEphemeral<T extends EphemeralTopic>(
    topic: T,
    listener: (key: string, entry: EntryOf[T]) => void,
  ): () => void {
    return this.#ephemeral.listen(topic, listener);
  }

  async parked(): Promise<ParkedKey[]> {
    const consumers = [...this.#loops].map((loop) => loop.consumer.database);
    const databases = new Set([this.#options.database, ...consumers]);
    return (await Promise.all([...databases].map(selectParkedKeys))).flat();
  }

  async retry(consumer: string, topic: DurableTopic, key: string): Promise<void> {
    const loop = this.#loopOf(consumer, topic);
    if (loop === undefined)
      throw new Error(`${consumer} does not consume ${topic} in this process`);
    await loop.retry(key);
  }

  async trim(): Promise<void> {
    for (const feed of Object.values(this.#feeds)) await this.#trimTopic(feed);
  }

  async close(): Promise<void> {
    this.#cancelTrim();
    await Promise.all([...this.#loops].map((loop) => loop.close()));
    await this.#sequencer.close();
  }

  async #appendAgain(
    tx: Transaction,
    { topic, name, database }: Pick<AnyConsumer, 'topic' | 'name' | 'database'>,
    entries: readonly NewEntry[],
  ): Promise<LogTicket> {
    if (database === this.#options.database) return this.#sequencer.append(tx, topic, entries);
    throw new Error(`${name} keeps its rows in another database than the log`);
  }

  #loopOf(consumer: string, topic: DurableTopic): ConsumerLoop | undefined {
    return [...this.#loops].find(
      (loop) => loop.consumer.name === consumer && loop.consumer.topic === topic,
    );
  }

  async #trimTopic(feed: TopicFeed): Promise<void> {
    const { database, clock, retentionMs = DAY_MS } = this.#options;
    const known = await selectLeastPosition(database, feed.topic);
    const here = [...this.#loops].filter((loop) => loop.consumer.topic === feed.topic);
    const passed = Math.min(known ?? feed.head, ...here.map((loop) => loop.position));
    const bounds = {
      topic: feed.topic,
      // The newest entry stays: ids and positions go on from it after a restart.
      position: Math.min(passed + 1, feed.head),
      appendedBefore: clock.now() - retentionMs,
      limit: TRIMMED_AT_ONCE,
    };
    let deleted: number;
    do {
      deleted = await database.transact((tx) => deleteEntriesBefore(tx, bounds));
    } while (deleted === TRIMMED_AT_ONCE);
  }

  #scheduleTrim(): void {
    this.#cancelTrim = this.#options.clock.schedule(TRIM_INTERVAL_MS, () => {
      this.#scheduleTrim();
      this.trim().catch((error) => {
        this.#options.logger.warn({ err: error }, 'trimming the event log failed');
      });
    });
  }
}
