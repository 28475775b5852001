// `node bench/peeking.ts`: what looking across servers costs. See docs/performance.md.
//
//   node bench/peeking.ts [--devices N] [--rooms N] [--servers N] [--events N]
//
// With 0 a part is left out.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ManualClock, systemClock } from '../src/clock.ts';
import { compose, type Keyhole } from '../src/compose.ts';
import { parseConfig } from '../src/config/config.ts';
import { sql } from '../src/database/sql.ts';
import { openSqlite } from '../src/database/sqlite.ts';
import { type Harness, openHarness } from '../src/federationsender/testing.ts';
import { createLogger } from '../src/logger.ts';
import type { RoomId, ServerName } from '../src/protocol/identifiers.ts';
import { register, type TestClient } from '../test/client.ts';
import { startNetwork } from '../test/federation/network.ts';
import { configText } from '../test/server-in-process.ts';
import { TEST_CA } from '../test/tls/fixtures.ts';
import { signatureMicroseconds } from './signature.ts';

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '200' },
    rooms: { type: 'string', default: '1000' },
    servers: { type: 'string', default: '2000' },
    events: { type: 'string', default: '3' },
  },
});
const devices = Number(values.devices);
const rooms = Number(values.rooms);
const servers = Number(values.servers);
const events = Number(values.events);

const WORLD_READABLE = {
  preset: 'public_chat',
  initial_state: [
    { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
  ],
};
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** By then all have been renewed, and none for the second time. */
const MINUTES = 45;

const megabytes = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>) {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** One subscription, whoever looks, and one transaction for an event. */
async function manyDevices(): Promise<void> {
  const network = await startNetwork({ servers: 2 });
  try {
    const alice = await network.server(0).user('alice');
    const roomId = await alice.createRoom(WORLD_READABLE);
    const there = network.server(0).name;
    await inParallel(upTo(devices), async (n) => {
      const client = await network.server(1).user(`looker${n}`);
      await client.ok('POST', `/v3/peek/${encodeURIComponent(roomId)}`, { servers: [there] });
    });
    const { database } = network.server(0).keyhole;
    const held = await database.get<{ count: number }>(
      sql`SELECT count(*) AS count FROM federationsender_inbound_peeks`,
    );
    const puts = network.link(1, 0).exchanges.filter(({ path }) => path.includes('/v1/peek/'));
    console.log(`\n${devices} devices look into one remote room`);
    console.log(`subscriptions held, PUTs made   ${held?.count}, ${puts.length}`);
  } finally {
    await network.close();
  }
}

/** All begun at the same moment: the worst for who is to renew them. */
async function manyRooms(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-bench-'));
  const clock = new ManualClock();
  const path = join(folder, 'keyhole.db');
  // biome-ignore lint/suspicious/noExplicitAny: a backend as tests have it, of which this is all that is used
  const backend: any = { open: () => openSqlite({ path, clock }), closeFirst: () => undefined };
  let draws = 0;
  const random = () => {
    draws += 1;
    return (draws * 0.618_033_988_749_895) % 1;
  };
  const harness = await openHarness(backend, { clock, random });
  try {
    const server = 'there.example' as ServerName;
    const answer = { latest_event_state_ids: {}, renewal_interval: HOUR_MS };
    harness.network.answers.set(server, () => answer);
    for (const n of upTo(rooms)) {
      const roomId = `!room${n}:there.example` as RoomId;
      const request = { roomId, servers: [server], roomVersions: ['12'] as const };
      const { peekId } = await harness.sender.api.performOutboundPeek(request);
      const entry = { kind: 'NewOutboundPeek', server, peekId, renewalInterval: HOUR_MS } as const;
      await harness.append('roomserver.output', roomId, entry);
    }
    await harness.settled();
    const perMinute: number[] = [];
    for (let minute = 0; minute < MINUTES; minute += 1) {
      const before = renewalsOf(harness);
      harness.clock.advance(MINUTE_MS);
      while ((await due(harness)) > 0) await pause(1);
      perMinute.push(renewalsOf(harness) - before);
    }
    const total = perMinute.reduce((sum, one) => sum + one, 0);
    const busy = perMinute.flatMap((count, minute) => (count > 0 ? [minute] : []));
    console.log(`\n${rooms} remote rooms, looked into from the same moment on`);
    console.log(`renewals in ${MINUTES} minutes          ${total}`);
    console.log(`from minute, to minute          ${busy[0]}, ${busy.at(-1)}`);
    console.log(`most in one minute              ${Math.max(...perMinute)}`);
  } finally {
    await harness.sender.close();
    await harness.database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const renewalsOf = ({ network }: Harness) =>
  network.requests.filter(({ path }) => path.endsWith('/renew')).length;

async function due({ database, clock }: Harness): Promise<number> {
  const found = await database.get<{ count: number }>(sql`
    SELECT count(*) AS count FROM federationsender_outbound_peeks
    WHERE status = 'active' AND next_ts <= ${clock.now()}`);
  return found?.count ?? 0;
}

/** The servers of the bench: one process that answers to all their names. */
class Sink {
  readonly #child: ChildProcess;
  port = 0;
  received = 0;

  constructor() {
    this.#child = fork(new URL('peek-sink.ts', import.meta.url));
    this.#child.on('message', (message: { port?: number; received?: number }) => {
      this.port = message.port ?? this.port;
      this.received = message.received ?? this.received;
    });
  }

  async until(count: number): Promise<void> {
    while (this.received < count || this.port === 0) await pause(5);
  }

  stop(): void {
    this.#child.kill();
  }
}

async function manyServers(): Promise<void> {
  console.log(
    `\nother servers look into one room; one Ed25519 signature takes ${signatureMicroseconds().toFixed(0)} µs`,
  );
  console.log('servers  looking elsewhere  CPU per event     per server   resident');
  const sink = new Sink();
  await sink.until(0);
  try {
    for (const share of [0.25, 0.5, 1]) await measure(sink, Math.round(servers * share), 0);
    if (devices > 0) await measure(sink, Math.round(servers / 4), devices);
  } finally {
    sink.stop();
  }
}

async function measure(sink: Sink, count: number, elsewhere: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-bench-'));
  const keyhole = await start(folder);
  try {
    const [port] = await keyhole.listen();
    const baseUrl = `http://127.0.0.1:${port}`;
    const alice = await register(baseUrl, 'alice');
    const roomId = await alice.createRoom(WORLD_READABLE);
    await lookElsewhere(baseUrl, alice, elsewhere);
    await lookIn(keyhole, roomId, { count, port: sink.port });
    // The first event opens the connections.
    await relayed(sink, alice, { roomId, count });
    const before = process.cpuUsage();
    for (let n = 0; n < events; n += 1) await relayed(sink, alice, { roomId, count });
    const { user, system } = process.cpuUsage(before);
    const perEvent = (user + system) / 1000 / events;
    const figures = [
      String(count).padStart(7),
      String(elsewhere).padStart(17),
      `${perEvent.toFixed(0).padStart(10)} ms`,
      `${((perEvent * 1000) / count).toFixed(0).padStart(10)} µs`,
      `${String(megabytes()).padStart(7)} MB`,
    ];
    console.log(figures.join('  '));
  } finally {
    await keyhole.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function start(folder: string): Promise<Keyhole> {
  const text = configText(folder, { outbound: { trusted_ca_path: TEST_CA, denied_networks: [] } });
  const { config } = parseConfig(text, 'the bench');
  const resolver = { addresses: async () => ['127.0.0.1'], services: async () => [] };
  return compose({ config, logger: createLogger('error'), clock: systemClock, resolver });
}

async function lookElsewhere(baseUrl: string, alice: TestClient, count: number): Promise<void> {
  const other = await alice.createRoom(WORLD_READABLE);
  await inParallel(upTo(count), async (n) => {
    const client = await register(baseUrl, `elsewhere${n}`);
    await client.ok('POST', `/v3/peek/${encodeURIComponent(other)}`, {});
  });
}

async function lookIn(
  { components }: Keyhole,
  roomId: string,
  { count, port }: { count: number; port: number },
): Promise<void> {
  const { roomserver, federationsender } = components;
  let last = 0;
  await inParallel(upTo(count), async (n) => {
    const { position } = await roomserver.api.performInboundPeek({
      origin: `s${n}.test.example:${port}` as ServerName,
      roomId: roomId as RoomId,
      peekId: 'bench',
      roomVersions: undefined,
      expiryTs: systemClock.now() + HOUR_MS,
    });
    last = Math.max(last, position);
  });
  await federationsender.api.waitForRooms({ position: last });
}

async function relayed(
  sink: Sink,
  alice: TestClient,
  { roomId, count }: { roomId: string; count: number },
): Promise<void> {
  const before = sink.received;
  await alice.send(roomId, 'to all of you');
  await sink.until(before + count);
}

if (devices > 0) await manyDevices();
if (rooms > 0) await manyRooms();
if (servers > 0) await manyServers();
