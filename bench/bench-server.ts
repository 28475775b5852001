// Keyhole in this very process, with its statements counted and the event loop watched.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { systemClock } from '../src/clock.ts';
import { compose, type Keyhole } from '../src/compose.ts';
import { parseConfig } from '../src/config/config.ts';
import type { Transaction } from '../src/database/database.ts';
import { createLogger } from '../src/logger.ts';
import type { RoomId } from '../src/protocol/identifiers.ts';
import { configText } from '../test/server-in-process.ts';

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
type Json = any;

export interface SyncSettings {
  readonly filter?: Json;
  /** Shown as online by it. */
  readonly online?: boolean;
}

export class BenchUser {
  readonly userId: string;
  readonly #token: string;
  readonly #server: BenchServer;
  #since: string | undefined;

  constructor(server: BenchServer, session: { user_id: string; access_token: string }) {
    this.#server = server;
    this.userId = session.user_id;
    this.#token = session.access_token;
  }

  call(method: 'GET' | 'PUT' | 'POST', path: string, body?: Json): Promise<Json> {
    return this.#server.call(this.#token, method, path, body);
  }

  async sync({ filter = {}, online = false }: SyncSettings): Promise<void> {
    this.#since = await this.#server.nextBatch(this.#token, syncPath(filter, undefined, online));
  }

  /** What is new since the last time, without waiting for it. */
  async poll(filter: Json = {}, timeout = 0): Promise<void> {
    const path = syncPath(filter, this.#since, false, timeout);
    this.#since = await this.#server.nextBatch(this.#token, path);
  }

  keepPolling(filter: Json): { stop: () => void; done: Promise<void> } {
    let isOver = false;
    const go = async () => {
      if (this.#since === undefined) await this.sync({ filter });
      while (!isOver) await this.poll(filter, 1000);
    };
    const stop = () => {
      isOver = true;
    };
    return { stop, done: go() };
  }
}

function syncPath(filter: Json, since: string | undefined, online: boolean, timeout = 0): string {
  const query = new URLSearchParams({
    filter: JSON.stringify(filter),
    timeout: String(timeout),
    set_presence: online ? 'online' : 'offline',
    ...(since !== undefined && { since }),
  });
  return `/sync?${query}`;
}

export class BenchServer {
  readonly #keyhole: Keyhole;
  readonly #baseUrl: string;
  readonly #folder: string;
  readonly #agent = new Agent({ connections: 512 });
  #statements = 0;

  private constructor(keyhole: Keyhole, port: number, folder: string) {
    this.#keyhole = keyhole;
    this.#baseUrl = `http://127.0.0.1:${port}/_matrix/client/v3`;
    this.#folder = folder;
    this.#countStatements();
  }

  static async start(): Promise<BenchServer> {
    const folder = mkdtempSync(join(tmpdir(), 'keyhole-bench-'));
    const text = configText(folder);
    const { config } = parseConfig(text, 'the bench');
    const keyhole = await compose({ config, logger: createLogger('warn'), clock: systemClock });
    const [port = 0] = await keyhole.listen();
    return new BenchServer(keyhole, port, folder);
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await this.#keyhole.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async call(
    token: string | undefined,
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: Json,
  ): Promise<Json> {
    const text = await this.#text(token, method, path, body);
    // Large answers are not looked at: parsing them would be this process's time, too.
    return text.length > 100_000 ? {} : JSON.parse(text);
  }

  async nextBatch(token: string, path: string): Promise<string> {
    const text = await this.#text(token, 'GET', path);
    return /"next_batch":"([^"]*)"/.exec(text)?.[1] ?? '';
  }

  async users(prefix: string, count: number): Promise<BenchUser[]> {
    const made: BenchUser[] = [];
    const numbers = Array.from({ length: count }, (_, i) => i);
    await this.inParallel(numbers, 32, async (i) => {
      const session = await this.call(undefined, 'POST', '/register', {
        username: `${prefix}${i}`,
        password: 'a password for the bench',
        auth: { type: 'm.login.dummy' },
      });
      made[i] = new BenchUser(this, session);
    });
    return made;
  }

  async inParallel<T>(
    items: readonly T[],
    atOnce: number,
    work: (item: T) => Promise<unknown>,
  ): Promise<void> {
    const queue = items.values();
    const worker = async () => {
      for (const item of queue) await work(item);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  /** Prints the mean of so many runs, one after the other. */
  async measure(
    name: string,
    count: number,
    work: (index: number) => Promise<unknown> | undefined,
  ): Promise<void> {
    await this.settled(200);
    this.#statements = 0;
    const turns = watchTurns();
    const start = performance.now();
    const cpu = process.cpuUsage();
    for (let i = 0; i < count; i += 1) await work(i);
    const ms = (performance.now() - start) / count;
    await this.settled(30);
    const longest = turns.stop();
    const used = process.cpuUsage(cpu);
    const figures = [
      `${ms.toFixed(1).padStart(9)} ms`,
      `cpu ${((used.user + used.system) / 1000 / count).toFixed(1).padStart(8)} ms`,
      `statements ${(this.#statements / count).toFixed(1).padStart(8)}`,
      `longest turn ${longest.toFixed(0).padStart(5)} ms`,
      `rss ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0).padStart(5)} MB`,
    ];
    console.log(`${name.padEnd(40)} ${figures.join('  ')}${longest > 200 ? '  <-- too long' : ''}`);
  }

  purge(roomId: string): Promise<unknown> {
    const { roomserver } = this.#keyhole.components;
    return roomserver.api.performPurge({ roomId: roomId as RoomId });
  }

  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await this.settled(10);
  }

  settled(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async #text(
    token: string | undefined,
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: Json,
  ): Promise<string> {
    const answer = await request(`${this.#baseUrl}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 200) return text;
    throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
  }

  #countStatements(): void {
    const { database } = this.#keyhole;
    const { all, get, transact } = database;
    const count = () => {
      this.#statements += 1;
    };
    database.all = (query) => {
      count();
      return all.call(database, query) as never;
    };
    database.get = (query) => {
      count();
      return get.call(database, query) as never;
    };
    database.transact = (body) =>
      transact.call(database, (tx: Transaction) => body(counted(tx, count))) as never;
  }
}

function counted(tx: Transaction, count: () => void): Transaction {
  const { all, get, run } = tx;
  tx.all = (query) => {
    count();
    return all.call(tx, query) as never;
  };
  tx.get = (query) => {
    count();
    return get.call(tx, query) as never;
  };
  tx.run = (query) => {
    count();
    return run.call(tx, query);
  };
  return tx;
}

/** The most CPU time, in ms, that went by without a timer of 1 ms being served: what other processes take is not counted. */
function watchTurns(): { stop: () => number } {
  let longest = 0;
  let last = threadMs();
  const timer = setInterval(() => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
