// Whether servers that are dead delay what is sent to one that lives: a server in a room with very many of them, and one in
// a room without, side by side.

import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestClient } from '../test/client.ts';
import type { Asked, HostileServer } from '../test/federation/hostile-server.ts';
import { largeForeignRoom } from './large-foreign-room.ts';
import { mark, quantile } from './report.ts';
import { WatchedServer } from './watched-server.ts';

export interface DeadOptions {
  readonly dead: number;
  readonly seconds: number;
}

/** Between two messages of one server. */
const INTERVAL_MS = 100;
const GOAL_RATIO = 1.5;

export async function benchDead(options: DeadOptions): Promise<void> {
  console.log(`\n${options.dead} dead servers in a room, and none in another, side by side`);
  const sides = [await Side.start(options.dead), await Side.start(0)] as const;
  try {
    for (const side of sides) await side.warmUp();
    await compare('met just now', sides, options);
    while (sides[0].unknown() > 0) await new Promise((resolve) => setTimeout(resolve, 500));
    await compare('known to be dead', sides, options);
  } finally {
    for (const side of sides) await side.remove();
  }
}

async function compare(
  phase: string,
  sides: readonly [Side, Side],
  { seconds }: DeadOptions,
): Promise<void> {
  const { cost } = await sides[0].server.cost(() => chat(sides, seconds * 1000));
  const [withDead, without] = sides.map((side) => side.report(phase)) as [number, number];
  const ratio = withDead / without;
  console.log(`  p99 with them to p99 without  ${ratio.toFixed(2)}${mark(ratio > GOAL_RATIO)}`);
  const turn = `longest turn ${cost.cpuMs.toFixed(0)} ms CPU`;
  console.log(
    `  of the server with them       ${cost.peakMb.toFixed(0)} MB at most, ${cost.cpuSeconds.toFixed(1)} s CPU; ${turn}`,
  );
  console.log(`  kept for them                 ${sides[0].kept()}`);
}

async function chat(sides: readonly Side[], ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let n = 0; performance.now() < end; n += 1) {
    const due = performance.now() + INTERVAL_MS;
    for (const side of sides) side.say(n);
    await new Promise((resolve) => setTimeout(resolve, Math.max(due - performance.now(), 0)));
  }
  for (const side of sides) await side.allArrived();
}

class Side {
  readonly server: WatchedServer;
  readonly #user: TestClient;
  readonly #roomId: string;
  readonly #dead: readonly Silence[];
  readonly #living: HostileServer;
  readonly #sent = new Map<string, number>();
  readonly #latencies: number[] = [];
  #others: Promise<unknown> = Promise.resolve();

  static async start(dead: number): Promise<Side> {
    const foreign = await largeForeignRoom({ members: dead, servers: dead + 1 });
    const server = await WatchedServer.start();
    const user = await server.user('alice');
    const [living, ...others] = foreign.servers as [HostileServer, ...HostileServer[]];
    const { roomId } = foreign.room;
    const path = `/v3/join/${encodeURIComponent(roomId)}?via=${encodeURIComponent(living.name)}`;
    await user.ok('POST', path, {});
    const silences: Silence[] = [];
    for (const [index, other] of others.entries()) {
      await other.close();
      // The others refuse connections.
      if (index % 2 === 0) silences.push(await Silence.at(other.name));
    }
    return new Side(server, { user, roomId, living, dead: silences });
  }

  private constructor(
    server: WatchedServer,
    parts: {
      readonly user: TestClient;
      readonly roomId: string;
      readonly living: HostileServer;
      readonly dead: readonly Silence[];
    },
  ) {
    this.server = server;
    this.#user = parts.user;
    this.#roomId = parts.roomId;
    this.#living = parts.living;
    this.#dead = parts.dead;
    parts.living.on(/^\/_matrix\/federation\/v1\/send\//, (asked) => {
      this.#arrived(asked);
      return { pdus: {} };
    });
  }

  async warmUp(): Promise<void> {
    for (let n = 0; n < 20; n += 1) {
      this.say(-n - 1);
      await this.allArrived();
    }
    this.#latencies.splice(0);
  }

  /** Sends a message, and now and then what is told besides. */
  say(n: number): void {
    const body = `message ${n}`;
    this.#sent.set(body, performance.now());
    const user = this.#user;
    const at = `/v3/rooms/${encodeURIComponent(this.#roomId)}`;
    const told = [user.sendEvent(this.#roomId, 'm.room.message', { msgtype: 'm.text', body })];
    const me = encodeURIComponent(user.userId);
    if (n % 10 === 3)
      told.push(user.ok('PUT', `${at}/typing/${me}`, { typing: n % 20 === 3, timeout: 30_000 }));
    if (n % 10 === 5)
      told.push(user.ok('PUT', `/v3/presence/${me}/status`, { presence: 'online' }));
    if (n % 10 === 7)
      told.push(user.ok('PUT', `/v3/devices/${user.deviceId}`, { display_name: `phone ${n}` }));
    this.#others = Promise.all([this.#others, ...told]);
  }

  async allArrived(): Promise<void> {
    await this.#others;
    while (this.#sent.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** The p99 in ms since the last report. */
  report(phase: string): number {
    const [p50, p99] = [quantile(this.#latencies, 0.5), quantile(this.#latencies, 0.99)];
    const name = this.#dead.length > 0 ? `dead servers, ${phase}` : 'without';
    const figures = `p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  of ${this.#latencies.length}`;
    console.log(`${name.padEnd(31)} ${figures}`);
    this.#latencies.splice(0);
    return p99;
  }

  kept(): string {
    const tables = ['queue', 'missed', 'to_device', 'transactions'];
    return tables.map((table) => `${this.#count(table)} of ${table}`).join(', ');
  }

  /** Servers that have not answered, and are not known not to. */
  unknown(): number {
    return this.#count('destinations WHERE answered = 0 AND catching_up = 0');
  }

  #count(what: string): number {
    const database = new DatabaseSync(join(this.server.folder, 'keyhole.db'), { readOnly: true });
    const found = database.prepare(`SELECT count(*) AS n FROM federationsender_${what}`).get();
    database.close();
    return Number(found?.n);
  }

  async remove(): Promise<void> {
    await this.server.remove();
    await this.#living.close();
    for (const silence of this.#dead) await silence.close();
  }

  #arrived({ body }: Asked): void {
    const now = performance.now();
    for (const pdu of (body.pdus ?? []) as { content: { body?: string } }[]) {
      const text = pdu.content.body ?? '';
      const sentAt = this.#sent.get(text);
      if (sentAt === undefined) continue;
      this.#latencies.push(now - sentAt);
      this.#sent.delete(text);
    }
  }
}

/** Accepts connections, and never says a word. */
class Silence {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async at(serverName: string): Promise<Silence> {
    const port = Number(serverName.slice(serverName.lastIndexOf(':') + 1));
    const silence = new Silence();
    await new Promise<void>((resolve, reject) => {
      silence.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return silence;
  }

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
      socket.resume();
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
