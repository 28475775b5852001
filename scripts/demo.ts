// `npm run demo`: two servers on this machine, over TLS with an authority of their own. A bot talks on the one; somebody on
// the other looks into its room without joining it, sees what is said as it is said, scrolls back, and joins in the end.

import { systemClock } from '../src/clock.ts';
import { type PeekListing, readPeeks } from '../src/compose.ts';
import { loadConfig } from '../src/config/config.ts';
import { register, type TestClient } from '../test/client.ts';
import { freePort, type ServerProcess, startServer } from '../test/server-process.ts';
import { SERVER_CERTIFICATE, TEST_CA } from '../test/tls/fixtures.ts';

// biome-ignore lint/suspicious/noExplicitAny: responses of every shape
type Json = any;

/** So short that renewals are seen: a look is renewed at half of it. */
const RENEWAL_INTERVAL_MS = 6_000;
const RENEWALS_SHOWN = 2;
const PAUSE_MS = 700;
const WATCH_MS = 250;

const LINES = [
  'A pigeon has landed on the fountain.',
  'It looks around.',
  'Somebody feeds it.',
  'Now there are two.',
  'The fountain is on.',
  'Both are wet, and do not mind.',
];

interface DemoServer {
  readonly name: string;
  readonly process: ServerProcess;
  readonly config: string;
}

const isColoured = process.stdout.isTTY === true;
const start = performance.now();

function say(who: string, what: string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  const name = who.padEnd(8);
  console.log(`${seconds}  ${isColoured ? `\u001b[1m${name}\u001b[0m` : name}  ${what}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startOne(): Promise<DemoServer> {
  const port = await freePort();
  const name = `localhost:${port}`;
  const federation = {
    ...{ host: '127.0.0.1', port, tls: true, resources: ['federation', 'key'] },
    tls_cert_path: SERVER_CERTIFICATE.certPath,
    tls_key_path: SERVER_CERTIFICATE.keyPath,
  };
  const process = await startServer((clientPort) => ({
    server_name: name,
    listeners: [{ host: '127.0.0.1', port: clientPort }, federation],
    outbound: { trusted_ca_path: TEST_CA, denied_networks: [] },
    peeking: { renewal_interval_ms: RENEWAL_INTERVAL_MS },
    log_level: 'warn',
  }));
  return { name, process, config: `${process.folder}/keyhole.yaml` };
}

/** Talks until the returned function is called. */
function talk(bot: TestClient, roomId: string): () => Promise<void> {
  let isOver = false;
  const done = (async () => {
    for (let n = 0; !isOver; n += 1) {
      await bot.send(roomId, LINES[n % LINES.length] ?? '');
      await pause(PAUSE_MS);
    }
  })();
  return () => {
    isOver = true;
    return done;
  };
}

/** Prints what a device is shown of a room, as it comes, by long polls. */
class Looker {
  readonly #client: TestClient;
  readonly #roomId: string;
  #since: string | undefined;
  #where = '';
  #isOver = false;

  constructor(client: TestClient, roomId: string) {
    this.#client = client;
    this.#roomId = roomId;
  }

  get where(): string {
    return this.#where;
  }

  async follow(): Promise<void> {
    while (!this.#isOver) await this.#poll();
  }

  stop(): void {
    this.#isOver = true;
  }

  async #poll(): Promise<void> {
    const since: Record<string, string> = this.#since === undefined ? {} : { since: this.#since };
    const answer = await this.#client.sync({ ...since, timeout: '1000' });
    this.#since = answer.next_batch;
    for (const where of ['peek', 'join', 'leave']) {
      const room = answer.rooms?.[where]?.[this.#roomId];
      if (room !== undefined) this.#show(where, room);
    }
  }

  #show(where: string, { state, timeline }: Json): void {
    if (where !== this.#where) say('looker', `the room stands in rooms.${where} of /sync`);
    this.#where = where;
    const events: readonly Json[] = state?.events ?? [];
    if (events.length > 0)
      say('looker', `state arrives: ${events.map(({ type }) => type).join(', ')}`);
    for (const event of timeline?.events ?? []) say('looker', `sees  ${textOf(event)}`);
  }
}

function textOf({ type, sender, content }: Json): string {
  if (type === 'm.room.message') return `<${sender}> ${content.body}`;
  return `${sender}: ${type} ${JSON.stringify(content)}`;
}

async function peeksOf({ config: file }: DemoServer): Promise<PeekListing[]> {
  return readPeeks({ config: loadConfig(file).config, clock: systemClock });
}

/** Tells of renewals until so many have come. */
async function watchRenewals(server: DemoServer, count: number): Promise<void> {
  let [last] = await peeksOf(server);
  for (let renewals = 0; renewals < count; ) {
    await pause(WATCH_MS);
    const [now] = await peeksOf(server);
    if (now !== undefined && last !== undefined && now.renewedTs > last.renewedTs) {
      renewals += 1;
      say(
        'servers',
        `the subscription was renewed, until ${new Date(now.deadlineTs).toISOString()}`,
      );
    }
    last = now ?? last;
  }
}

async function untilHolds(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(WATCH_MS);
}

async function show(square: DemoServer, balcony: DemoServer): Promise<void> {
  const bot = await register(square.process.baseUrl, 'bot');
  const roomId = await bot.createRoom({
    ...{ preset: 'public_chat', name: 'Square', room_alias_name: 'square' },
    initial_state: [
      { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } },
    ],
  });
  for (const line of LINES) await bot.send(roomId, line);
  say('bot', `talks in #square:${square.name}, which is world-readable`);
  const client = await register(balcony.process.baseUrl, 'looker');
  const endTalk = talk(bot, roomId);
  say('looker', `${client.userId} looks: POST /peek/#square:${square.name}`);
  await client.ok('POST', `/v3/peek/${encodeURIComponent(`#square:${square.name}`)}`, {});
  const looker = new Looker(client, roomId);
  const following = looker.follow();
  await untilHolds(async () => looker.where === 'peek');
  await tellSubscription(square, balcony);
  await watchRenewals(balcony, RENEWALS_SHOWN);
  await scrollBack(client, roomId);
  await joinIn(client, roomId, square);
  await untilHolds(async () => looker.where === 'join');
  await untilHolds(
    async () => (await peeksOf(square)).length + (await peeksOf(balcony)).length === 0,
  );
  say('servers', 'the subscription has ended: members are told as members');
  await client.send(roomId, 'Good morning!');
  await untilHolds(async () => (await lastTexts(bot, roomId)).includes('Good morning!'));
  say('bot', 'has been greeted by a member of another server');
  await endTalk();
  looker.stop();
  await following;
}

async function tellSubscription(square: DemoServer, balcony: DemoServer): Promise<void> {
  for (const server of [balcony, square]) {
    for (const { direction, roomId, server: other, devices } of await peeksOf(server)) {
      const lookers = direction === 'out' ? `, ${devices} device looking` : '';
      say('servers', `keyhole peeks on ${server.name}: ${direction} ${roomId} ${other}${lookers}`);
    }
  }
}

async function scrollBack(client: TestClient, roomId: string): Promise<void> {
  say('looker', 'scrolls back: GET /messages');
  const page = await client.ok(
    'GET',
    `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`,
  );
  const old: readonly Json[] = page.chunk.filter(({ type }: Json) => type === 'm.room.message');
  for (const event of old.slice(-LINES.length).reverse()) say('looker', `reads ${textOf(event)}`);
}

async function joinIn(client: TestClient, roomId: string, square: DemoServer): Promise<void> {
  say('looker', 'joins: POST /join');
  await client.ok('POST', `/v3/join/${encodeURIComponent(roomId)}?via=${square.name}`, {});
}

async function lastTexts(client: TestClient, roomId: string): Promise<string[]> {
  const page = await client.ok(
    'GET',
    `/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=10`,
  );
  return page.chunk.map(({ content }: Json) => content.body);
}

const servers: DemoServer[] = [];
try {
  say('servers', 'start, each with its data in a temporary folder');
  for (let n = 0; n < 2; n += 1) servers.push(await startOne());
  const [square, balcony] = servers as [DemoServer, DemoServer];
  say('servers', `${square.name} has the room; nobody of ${balcony.name} is in it`);
  await show(square, balcony);
} finally {
  for (const server of servers) await server.process.remove();
}
