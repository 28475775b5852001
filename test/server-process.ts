// Starts Keyhole as a user would, as a process of its own in a temporary folder, for tests that need the real thing.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

const bin = fileURLToPath(new URL('../bin/keyhole', import.meta.url));

export interface ServerProcess {
  readonly baseUrl: string;
  readonly folder: string;
  readonly pid: number;
  /** Everything it has written to stdout and stderr so far. */
  output(): string;
  /** Sends the signal and resolves with the exit code (null when killed). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Stops it if it runs, and removes its folder. */
  remove(): Promise<void>;
}

/** Keys that differ from those of a small local server with open registration. */
export type ServerConfig = Readonly<Record<string, unknown>>;

/** `config`: as a function it is told the port to listen on. */
export async function startServer(
  config: ServerConfig | ((port: number) => ServerConfig) = {},
): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-test-'));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const file = join(folder, 'keyhole.yaml');
  writeFileSync(
    file,
    stringify({
      server_name: 'localhost',
      public_baseurl: baseUrl,
      signing_key_path: join(folder, 'signing.key'),
      media_path: join(folder, 'media'),
      listeners: [{ host: '127.0.0.1', port, tls: false, resources: ['client', 'media'] }],
      database: { engine: 'sqlite', path: join(folder, 'keyhole.db') },
      registration: { enabled: true, allow_guests: true },
      rate_limits: { enabled: false },
      password_hash: { fast_for_tests: true },
      ...(typeof config === 'function' ? config(port) : config),
    }),
  );
  let child: ChildProcess;
  let output = '';

  async function start(): Promise<void> {
    child = spawn(bin, ['--config', file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    await untilAnswers(`${baseUrl}/_matrix/client/versions`, child, () => output);
  }

  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  await start();
  return {
    baseUrl,
    folder,
    get pid() {
      return child.pid ?? 0;
    },
    output: () => output,
    stop,
    restart: start,
    remove: async () => {
      await stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break;
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`the server did not answer at ${url}:\n${output()}`);
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
