// Keyhole as a process of its own, federating over TLS, whose event loop and memory are watched.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { register, type TestClient } from '../test/client.ts';
import { freePort, type ServerProcess, startServer } from '../test/server-process.ts';
import { SERVER_CERTIFICATE, TEST_CA } from '../test/tls/fixtures.ts';
import { cpuTime, peakMb, residentMb } from './process-cost.ts';
import type { LoopReport } from './watch-loop.ts';

const watch = fileURLToPath(new URL('./watch-loop.ts', import.meta.url));

export interface Cost extends LoopReport {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The most that was resident meanwhile, and what is now. */
  readonly peakMb: number;
  readonly residentMb: number;
}

export class WatchedServer {
  readonly name: string;
  readonly #process: ServerProcess;
  readonly #loopFile: string;
  #reports = 0;

  /** `config`: keys that differ from those of a server with its defaults. */
  static async start(config: Record<string, unknown> = {}): Promise<WatchedServer> {
    const federationPort = await freePort();
    const name = `localhost:${federationPort}`;
    const before = { ...process.env };
    const loopFile = join(process.env.TMPDIR ?? '/tmp', `keyhole-loop-${federationPort}.json`);
    process.env.NODE_OPTIONS = `${before.NODE_OPTIONS ?? ''} --import=${watch}`;
    process.env.BENCH_LOOP_FILE = loopFile;
    try {
      const server = await startServer((port) => ({
        server_name: name,
        listeners: [
          { host: '127.0.0.1', port, resources: ['client', 'media'] },
          {
            host: '127.0.0.1',
            port: federationPort,
            tls: true,
            tls_cert_path: SERVER_CERTIFICATE.certPath,
            tls_key_path: SERVER_CERTIFICATE.keyPath,
            resources: ['federation', 'key'],
          },
        ],
        outbound: { trusted_ca_path: TEST_CA, denied_networks: [] },
        log_level: 'warn',
        ...config,
      }));
      return new WatchedServer(name, server, loopFile);
    } finally {
      process.env.NODE_OPTIONS = before.NODE_OPTIONS ?? '';
      delete process.env.BENCH_LOOP_FILE;
    }
  }

  private constructor(name: string, server: ServerProcess, loopFile: string) {
    this.name = name;
    this.#process = server;
    this.#loopFile = loopFile;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get baseUrl(): string {
    return this.#process.baseUrl;
  }

  get folder(): string {
    return this.#process.folder;
  }

  output(): string {
    return this.#process.output();
  }

  user(localpart: string): Promise<TestClient> {
    return register(this.#process.baseUrl, localpart);
  }

  async cost<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly cost: Cost }> {
    await this.#loopReport();
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    const start = performance.now();
    const before = cpuTime(this.pid);
    const result = await work();
    const now = cpuTime(this.pid);
    const cost = {
      ...(await this.#loopReport()),
      seconds: (performance.now() - start) / 1000,
      cpuSeconds: (now.user + now.system - before.user - before.system) / 1000,
      peakMb: peakMb(this.pid),
      residentMb: residentMb(this.pid),
    };
    return { result, cost };
  }

  async remove(): Promise<void> {
    await this.#process.stop();
    await this.#process.remove();
  }

  async #loopReport(): Promise<LoopReport> {
    this.#reports += 1;
    process.kill(this.pid, 'SIGUSR2');
    for (;;) {
      if (existsSync(this.#loopFile)) {
        const report = JSON.parse(readFileSync(this.#loopFile, 'utf8')) as LoopReport;
        if (report.report === this.#reports) return report;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
