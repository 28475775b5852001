// Several servers that reach each other over TLS by their names, on this machine: composed in the test's own process, each
// behind an entrance, so that the test decides what lies between them, and when.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Clock, ManualClock, systemClock } from '../../src/clock.ts';
import { compose, type Keyhole } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/config.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { register, type TestClient } from '../client.ts';
import { createSchema } from '../contracts/backends.ts';
import { SERVER_CERTIFICATE, TEST_CA } from '../tls/fixtures.ts';
import { type Entrance, openEntrance } from './entrance.ts';
import { type Held, type Link, Links } from './link.ts';
import { type StoredRoom, storedRoom } from './stored-room.ts';
import { openTcpEntrance } from './tcp-entrance.ts';

export interface NetworkOptions {
  readonly servers: number;
  /** Of new rooms; default 12. */
  readonly roomVersion?: string;
  /** Of a PostgreSQL on which the servers of these indices have their database; the others use SQLite. */
  readonly postgres?: { readonly url: string; readonly servers: readonly number[] };
  /** `manual`: one clock for all servers, which the test moves; see `pump`. Default: the real one. */
  readonly clock?: 'real' | 'manual';
  /** With a manual clock: it also says when requests to other servers have taken too long. */
  readonly hasManualTimeouts?: boolean;
  /** Requests go to the servers' own TLS listeners, untouched; there are no links then. */
  readonly direct?: boolean;
  /** Of the chances of faults. */
  readonly seed?: number;
  /** Keys of the configuration that differ. */
  readonly config?: Record<string, unknown>;
  readonly logger?: Logger;
}

export interface NetworkServer {
  readonly name: string;
  readonly baseUrl: string;
  /** A new user of the server. */
  user(localpart: string): Promise<TestClient>;
  /** What it has of a room, read from its database. */
  stored(roomId: string): Promise<StoredRoom>;
  stop(): Promise<void>;
  /** Ends it as if it were killed: nothing that is not committed by now will be, and nobody is answered any more. */
  kill(): Promise<void>;
  /** After `stop` or `kill`: on the same data, at the same addresses. */
  start(): Promise<void>;
}

export interface ComposedServer extends NetworkServer {
  readonly keyhole: Keyhole;
  /** Resolves once the log has been consumed by the syncserver as far as it goes now. */
  settled(): Promise<void>;
  /** Holds up every COMMIT of its database. */
  holdCommits(): Held;
}

export interface Network<S extends NetworkServer = NetworkServer> {
  readonly servers: readonly S[];
  readonly links: Links;
  server(index: number): S;
  /** Of requests from one server to another, by index or by name. */
  link(from: number | string, to: number | string): Link;
  /** Cuts all links between servers of different groups; `[[0], [1, 2]]`. */
  partition(groups: readonly (readonly number[])[]): void;
  /** Takes back `partition`. */
  heal(): void;
  /**
   * Resolves once the condition holds; a manual clock is moved meanwhile, in small steps while requests are under way, in
   * leaps while nothing happens.
   */
  pump(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** ms since the epoch, by the clock of the servers. */
  now(): number;
  /** Moves a manual clock on; the real one goes by itself. */
  pass(ms: number): Promise<void>;
  /** Resolves with the work, of which some may wait for the clock: a manual one is moved meanwhile. */
  inTime<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function startNetwork(options: NetworkOptions): Promise<Network<ComposedServer>> {
  const links = new Links(options.seed ?? 1);
  const manual = options.clock === 'manual' ? new ManualClock() : undefined;
  const servers: Server[] = [];
  try {
    for (let index = 0; index < options.servers; index += 1) {
      const entrance = await (options.direct ? openTcpEntrance() : openEntrance(links));
      const server = new Server(options, manual ?? systemClock, entrance);
      servers.push(server);
      await server.prepare(index);
      await server.start();
    }
  } catch (error) {
    for (const server of servers) await server.remove();
    throw error;
  }
  return networkOf(servers, links, manual);
}

export function networkOf<S extends NetworkServer & { remove(): Promise<void> }>(
  servers: readonly S[],
  links: Links,
  clock?: ManualClock,
): Network<S> {
  const at = (index: number) => {
    const server = servers[index];
    if (server === undefined) throw new Error(`there is no server ${index}`);
    return server;
  };
  const nameOf = (one: number | string) => (typeof one === 'string' ? one : at(one).name);
  return {
    servers,
    links,
    server: at,
    link: (from, to) => links.between(nameOf(from), nameOf(to)),
    partition: (groups) => {
      const names = groups.map((group) => group.map(nameOf));
      const groupOf = (name: string) => names.findIndex((group) => group.includes(name));
      links.cutWhere((one, other) => one !== 'unsigned' && groupOf(one) !== groupOf(other));
    },
    heal: () => links.cutWhere(() => false),
    pump: (holds, what) => pump(holds, { what, links, clock }),
    now: () => (clock ?? systemClock).now(),
    pass: async (ms) => clock?.advance(ms),
    inTime: (work) => inTime(clock, work),
    close: async () => {
      for (const server of servers) await server.remove();
    },
  };
}

/** ms of the manual clock: at a turn with requests under way, and at one without. */
const STEP_MS = 50;
const LEAP_MS = 2_000;
/** ms of real time between two looks. */
const LOOK_MS = 5;
const PUMP_PATIENCE_MS = 60_000;

async function pump(
  holds: () => boolean | Promise<boolean>,
  { what, links, clock }: { what: string; links: Links; clock: ManualClock | undefined },
): Promise<void> {
  const deadline = performance.now() + PUMP_PATIENCE_MS;
  let quietLooks = 0;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PUMP_PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    quietLooks = links.underWay === 0 ? quietLooks + 1 : 0;
    clock?.advance(quietLooks > 10 ? LEAP_MS : STEP_MS);
  }
}

async function inTime<T>(clock: Clock | undefined, work: Promise<T>): Promise<T> {
  let isOver = false;
  const end = work.finally(() => {
    isOver = true;
  });
  if (!(clock instanceof ManualClock)) return end;
  while (!isOver) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, LOOK_MS))]);
    if (!isOver) clock.advance(STEP_MS);
  }
  return end;
}

const TLS_LISTENER = {
  host: '127.0.0.1',
  port: 0,
  tls: true,
  tls_cert_path: SERVER_CERTIFICATE.certPath,
  tls_key_path: SERVER_CERTIFICATE.keyPath,
  resources: ['federation', 'key'],
};

class Server implements ComposedServer {
  readonly name: string;
  readonly #options: NetworkOptions;
  readonly #clock: Clock;
  readonly #entrance: Entrance;
  readonly #folder = mkdtempSync(join(tmpdir(), 'keyhole-test-'));
  #schema: { url: string; remove(): Promise<void> } | undefined;
  #running: Keyhole | undefined;
  #port = 0;
  /** What ends the run that is on now. */
  #life = { isKilled: false };
  #commits: { readonly arrived: () => void; readonly released: Promise<void> } | undefined;

  constructor(options: NetworkOptions, clock: Clock, entrance: Entrance) {
    this.name = entrance.serverName;
    this.#options = options;
    this.#clock = clock;
    this.#entrance = entrance;
  }

  async prepare(index: number): Promise<void> {
    const { postgres } = this.#options;
    if (postgres?.servers.includes(index)) this.#schema = await createSchema(postgres.url);
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get keyhole(): Keyhole {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`);
    return this.#running;
  }

  user(localpart: string): Promise<TestClient> {
    return register(this.baseUrl, localpart);
  }

  stored(roomId: string): Promise<StoredRoom> {
    return storedRoom(this.keyhole.database, roomId);
  }

  async settled(): Promise<void> {
    const { eventLog, components } = this.keyhole;
    const [rooms, users] = await Promise.all([
      eventLog.head('roomserver.output'),
      eventLog.head('userserver.output'),
    ]);
    await components.syncserver.api.waitForPositions({ rooms, users });
  }

  holdCommits(): Held {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#commits = { arrived: () => arrived.resolve(), released: released.promise };
    const release = () => {
      this.#commits = undefined;
      released.resolve();
    };
    return { arrived: arrived.promise, release };
  }

  async start(): Promise<void> {
    const { config } = parseConfig(stringify(this.#config()), 'the test');
    const life = { isKilled: false };
    this.#life = life;
    const keyhole = await compose({
      config,
      logger: this.#options.logger ?? silentLogger,
      clock: this.#clock,
      ...(this.#options.hasManualTimeouts === true && { timers: this.#clock }),
      beforeCommit: async () => {
        this.#commits?.arrived();
        await this.#commits?.released;
        if (life.isKilled) throw new Error('killed');
      },
    });
    this.#running = keyhole;
    const [port, tlsPort] = await keyhole.listen();
    this.#port = port ?? 0;
    this.#entrance.leadTo(tlsPort ?? port);
  }

  async stop(): Promise<void> {
    const running = this.keyhole;
    this.#running = undefined;
    await running.close();
    this.#entrance.leadTo(undefined);
  }

  async kill(): Promise<void> {
    this.#life.isKilled = true;
    this.#entrance.leadTo(undefined);
    const running = this.keyhole;
    this.#running = undefined;
    // What is left of it may fail as it likes, and waits for the clock in between.
    await inTime(
      this.#clock,
      running.close().catch(() => undefined),
    );
  }

  async remove(): Promise<void> {
    await this.#running?.close();
    await this.#entrance.close();
    await this.#schema?.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #config(): Record<string, unknown> {
    const folder = this.#folder;
    const { direct, roomVersion, config } = this.#options;
    const postgres = this.#schema && { engine: 'postgres', url: this.#schema.url, pool_size: 4 };
    return {
      server_name: this.name,
      public_baseurl: this.#port === 0 ? 'http://localhost' : this.baseUrl,
      signing_key_path: join(folder, 'signing.key'),
      media_path: join(folder, 'media'),
      listeners: [{ host: '127.0.0.1', port: this.#port }, ...(direct ? [TLS_LISTENER] : [])],
      database: postgres ?? { engine: 'sqlite', path: join(folder, 'keyhole.db') },
      default_room_version: roomVersion ?? '12',
      registration: { enabled: true, allow_guests: true },
      outbound: { trusted_ca_path: TEST_CA, denied_networks: [] },
      rate_limits: { enabled: false },
      password_hash: { fast_for_tests: true },
      ...config,
    };
  }
}
