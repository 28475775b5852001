// Keeps the write-ahead log short without holding the event loop: a worker thread copies pages back to the database
// file while the writer goes on. The worker is started when there is first enough to copy.

import { Worker } from 'node:worker_threads';
import { BUSY_TIMEOUT_MS, type SqliteConnection } from './sqlite-connection.ts';

/** Pages of 4 KiB. */
const CHECKPOINT_PAGES = 1000;
/** Under constant writing the log never comes to its end by itself; past this the writer starts it anew. */
const MAX_LOG_PAGES = 16_384;

export class Checkpoints {
  readonly #writer: SqliteConnection;
  readonly #path: string;
  #worker: Worker | undefined;
  #busy = false;

  constructor(writer: SqliteConnection, path: string) {
    this.#writer = writer;
    this.#path = path;
  }

  /** Between groups of units. A failure here is not theirs: SQLite then looks after its log itself. */
  consider(): void {
    if (this.#busy) return;
    try {
      const [status] = this.#writer.pragma('wal_checkpoint(NOOP)');
      if (Number(status?.log) - Number(status?.checkpointed) < CHECKPOINT_PAGES) return;
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
    worker.on('message', (logPages: number) => this.#finish(logPages));
    worker.on('error', () => this.#fallBack());
    this.#worker = worker;
    return worker;
  }

  #finish(logPages: number): void {
    this.#busy = false;
    if (logPages <= MAX_LOG_PAGES || this.#writer.isTransaction) return;
    // The worker has just copied nearly all of it, so little is left to do here. A reader of another process
    // (an operator's shell) may stand in the way: then there is a next time, and no waiting.
    this.#writer.pragma('busy_timeout=0');
    this.#writer.pragma('wal_checkpoint(TRUNCATE)');
    this.#writer.pragma(`busy_timeout=${BUSY_TIMEOUT_MS}`);
  }

  /** Without a worker SQLite checkpoints in the writer's own COMMITs: slower, but the log stays bounded. */
  #fallBack(): void {
    this.#busy = true;
    this.#worker = undefined;
    this.#writer.pragma(`wal_autocheckpoint=${CHECKPOINT_PAGES}`);
  }
}
