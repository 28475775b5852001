// Keeps the write-ahead log short without holding the event loop: a worker thread copies pages back to the database
// file while the writer goes on. The worker is started when there is first enough to copy.

import { Worker } from 'node:worker_threads';
import type { SqliteConnection } from './sqlite-connection.ts';

/** What is written again and again is copied once, so rather seldom; in pages of 4 KiB. */
const CHECKPOINT_PAGES = 6000;
/** From here on the log is to start anew; until then it may grow, since that holds the event loop for two fsyncs. */
const LONG_LOG_PAGES = 16_000;
/** To ask for the length of the log costs as much as to write several events. */
const GROUPS_PER_LOOK = 8;

export class Checkpoints {
  readonly #writer: SqliteConnection;
  readonly #path: string;
  #worker: Worker | undefined;
  #busy = false;
  #groups = 0;
  #hasCopied = false;

  constructor(writer: SqliteConnection, path: string) {
    this.#writer = writer;
    this.#path = path;
  }

  /**
   * Between groups of units, when all of the log is durable and no reader is held. A failure here is not theirs: SQLite
   * then looks after its log itself.
   */
  consider(): void {
    if (this.#hasCopied) this.#restart();
    this.#groups += 1;
    if (this.#busy || this.#groups % GROUPS_PER_LOOK !== 0) return;
    try {
      const { length, copied } = this.#writer.logStatus();
      if (length - copied < CHECKPOINT_PAGES) return;
      this.#busy = true;
      this.#start().postMessage('checkpoint');
    } catch {
      this.#fallBack();
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#busy = true;
    worker.ref();
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('close');
    await exited;
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./sqlite-checkpoint-worker.ts', import.meta.url), {
      workerData: this.#path,
    });
    worker.unref();
    worker.on('message', () => this.#finish());
    worker.on('error', () => this.#fallBack());
    this.#worker = worker;
    return worker;
  }

  #finish(): void {
    this.#busy = false;
    this.#hasCopied = true;
  }

  /**
   * The log starts anew only when all of it has been copied, which under constant writing the worker never achieves:
   * the writer copies the little that was written meanwhile.
   */
  #restart(): void {
    this.#hasCopied = false;
    try {
      if (this.#writer.logStatus().length < LONG_LOG_PAGES) return;
      this.#writer.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      this.#fallBack();
    }
  }

  /** Without a worker SQLite checkpoints in the writer's own COMMITs: slower, but the log stays bounded. */
  #fallBack(): void {
    this.#busy = true;
    this.#worker = undefined;
    this.#writer.pragma(`wal_autocheckpoint=${CHECKPOINT_PAGES}`);
  }
}
