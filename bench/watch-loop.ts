// Loaded into a server before it starts (`--import`): watches its event loop. At SIGUSR2 it writes what it has seen since the
// last time into the file that BENCH_LOOP_FILE names.

import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface LoopReport {
  readonly report: number;
  /** The longest turn in ms, by the thread's CPU time and by the clock; with others on the machine the second says little. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

const file = process.env.BENCH_LOOP_FILE;
if (isMainThread && file !== undefined) watch(file);

function watch(path: string): void {
  let report = 0;
  let longest = { cpuMs: 0, wallMs: 0 };
  let last = now();
  setInterval(() => {
    const current = now();
    longest = {
      cpuMs: Math.max(longest.cpuMs, current.cpuMs - last.cpuMs),
      wallMs: Math.max(longest.wallMs, current.wallMs - last.wallMs),
    };
    last = current;
  }, 2).unref();
  process.on('SIGUSR2', () => {
    report += 1;
    writeFileSync(`${path}.new`, JSON.stringify({ report, ...longest }));
    renameSync(`${path}.new`, path);
    longest = { cpuMs: 0, wallMs: 0 };
  });
}

function now(): { readonly cpuMs: number; readonly wallMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() };
}
