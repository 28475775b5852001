// One Ed25519 signature while something else is measured, in a thread of its own: what neighbours, other hyperthreads and a colder
// cache do to the one they do to the other.

import { generateKeyPairSync, sign } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/** A few hundredths of a core, and much longer than what the thread does between them. */
const AT_ONCE = 50;
const PAUSE_MS = 150;

export class SignaturesBeside {
  readonly #worker = new Worker(new URL(import.meta.url));

  /** Returns µs of CPU time for one signature of 700 bytes: the mean of those made meanwhile. */
  async during<T>(body: () => Promise<T>): Promise<{ readonly result: T; readonly µs: number }> {
    await this.#tell('begin');
    const result = await body();
    return { result, µs: await this.#tell('end') };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(what: 'begin' | 'end'): Promise<number> {
    const answered = new Promise<number>((resolve) => this.#worker.once('message', resolve));
    this.#worker.postMessage(what);
    return answered;
  }
}

/** In the thread. */
async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(700, 'x');
  let made = 0;
  // Over all of the time: what a thread has used is brought up to date when it sleeps, not when it is asked.
  let begin = process.threadCpuUsage();
  port.on('message', (what) => {
    const { user, system } = process.threadCpuUsage(begin);
    port.postMessage((user + system) / made);
    if (what === 'end') return;
    begin = process.threadCpuUsage();
    made = 0;
  });
  for (;;) {
    for (let n = 0; n < AT_ONCE; n += 1) sign(null, message, privateKey);
    made += AT_ONCE;
    await setTimeout(PAUSE_MS);
  }
}

if (!isMainThread && parentPort !== null) await serve(parentPort);
