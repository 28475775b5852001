// What a room of well-behaved users notices of a server that attacks: the time from sending a message to its delivery, without
// and with the attack, in turns. The attacker is a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestClient } from '../test/client.ts';
import { othersTime, takePrecedence } from './process-cost.ts';
import { mark, quantile } from './report.ts';
import { type Cost, WatchedServer } from './watched-server.ts';

export interface HostileOptions {
  /** Of each turn. */
  readonly seconds: number;
  /** Names of attacks; none: all. */
  readonly only: readonly string[];
}

interface Turn {
  /** How long each message took, in ms. */
  readonly quiet: readonly number[];
  readonly besieged: readonly number[];
  readonly cost: Cost;
}

/** Each undisturbed first, then under attack: whatever goes on for longer on the machine happens to both. */
const TURNS = 5;
const WARM_UP_MS = 10_000;
const INTERVAL_MS = 100;
/** What an attack has left to do is not to disturb what is to be undisturbed. */
const PAUSE_MS = 4_000;
const GOAL = { ratio: 2, peakMb: 300 };
const attacker = fileURLToPath(new URL('./attacker.ts', import.meta.url));

export async function benchHostile(options: HostileOptions): Promise<void> {
  console.log('\na room of local users, and a server that attacks another one');
  const endPrecedence = takePrecedence();
  const server = await WatchedServer.start({ rate_limits: { enabled: true } });
  const child = startAttacker();
  try {
    const ann = await server.user('ann');
    const target = await ann.createRoom({ preset: 'public_chat', room_version: '11' });
    const control = await ControlRoom.open(server, ann);
    await tell(child, { begin: { destination: server.name, roomId: target } }, 'ready');
    await control.chat(WARM_UP_MS);
    const parties = { server, child, control };
    const others = othersTime([server.pid, process.pid, child.pid ?? 0]);
    const turns: Turn[] = [];
    while (turns.length < TURNS) turns.push(await takeTurn(parties, options));
    report(turns);
    const isFirst = endPrecedence === undefined ? 'at our cost' : 'of what is left';
    console.log(`of the machine, by others      ${(100 * others()).toFixed(0)} %, ${isFirst}`);
    const { counts } = await tell(child, { attack: false }, 'counts');
    console.log(`attacks                        ${JSON.stringify(counts)}`);
    const stored = await ann.ok('GET', `/v3/rooms/${encodeURIComponent(target)}/state`);
    console.log(`state of the attacked room     ${stored.length} events`);
  } finally {
    child.kill();
    await server.remove();
    endPrecedence?.();
  }
}

async function takeTurn(
  { server, child, control }: Parties,
  { seconds, only }: HostileOptions,
): Promise<Turn> {
  const quiet = await control.chat(seconds * 1000);
  await tell(child, { attack: true, only }, 'attacking');
  const { result: besieged, cost } = await server.cost(() => control.chat(seconds * 1000));
  await tell(child, { attack: false }, 'counts');
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return { quiet, besieged, cost };
}

interface Parties {
  readonly server: WatchedServer;
  readonly child: ChildProcess;
  readonly control: ControlRoom;
}

/** In life it has a machine of its own: what its work costs here is not to count, so that it gets what others leave. */
function startAttacker(): ChildProcess {
  return fork(attacker, {
    env: { ...process.env, NODE_OPTIONS: '' },
    execPath: 'chrt',
    execArgv: ['--idle', '0', process.execPath],
  });
}

function report(turns: readonly Turn[]): void {
  deliveredLine(
    'undisturbed',
    turns.map(({ quiet }) => quiet),
  );
  deliveredLine(
    'under attack',
    turns.map(({ besieged }) => besieged),
  );
  const ratio = p99Ratio(turns);
  const without = turns.map((left) => p99Ratio(turns.filter((turn) => turn !== left)));
  const range = `${Math.min(...without).toFixed(2)} to ${Math.max(...without).toFixed(2)}`;
  console.log(
    `p99 to p99 undisturbed         ${ratio.toFixed(2)}${mark(ratio > GOAL.ratio)}; without any one turn ${range}`,
  );
  const costs = turns.map(({ cost }) => cost);
  const peakMb = Math.max(...costs.map((cost) => cost.peakMb));
  const turnMs = Math.max(...costs.map((cost) => cost.cpuMs)).toFixed(0);
  const each = costs.map((cost) => cost.peakMb.toFixed(0)).join(', ');
  const memory = `${peakMb.toFixed(0)} MB${mark(peakMb > GOAL.peakMb)} (${each})`;
  console.log(`memory at most                 ${memory}; longest turn ${turnMs} ms CPU`);
  const cpu = sum(costs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1);
  const seconds = sum(costs.map((cost) => cost.seconds)).toFixed(0);
  console.log(`CPU under attack               ${cpu} s of ${seconds} s`);
}

function deliveredLine(name: string, stretches: readonly (readonly number[])[]): void {
  const all = stretches.flat();
  const figures = [0.5, 0.9, 0.99].map((q) => `p${100 * q} ${quantile(all, q).toFixed(1)} ms`);
  const each = stretches.map((one) => quantile(one, 0.99).toFixed(0)).join(', ');
  console.log(
    `${`delivered, ${name}`.padEnd(30)} ${figures.join('  ')} (${each})  of ${all.length}`,
  );
}

function p99Ratio(turns: readonly Turn[]): number {
  const quiet = turns.flatMap((turn) => turn.quiet);
  const besieged = turns.flatMap((turn) => turn.besieged);
  return quantile(besieged, 0.99) / quantile(quiet, 0.99);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

type Said = Readonly<Record<string, unknown>>;

async function tell(child: ChildProcess, message: object, answer: string): Promise<Said> {
  child.send(message);
  for (;;) {
    const [said] = (await once(child, 'message')) as readonly Said[];
    if (said !== undefined && answer in said) return said;
  }
}

/** A sender, and somebody who waits in /sync. */
class ControlRoom {
  #latencies: number[] = [];
  readonly #sent = new Map<string, number>();
  readonly #sender: TestClient;
  readonly #roomId: string;
  #count = 0;

  static async open(server: WatchedServer, sender: TestClient): Promise<ControlRoom> {
    const roomId = await sender.createRoom({ preset: 'public_chat' });
    const reader = await server.user('reader');
    await reader.ok('POST', `/v3/join/${encodeURIComponent(roomId)}`, {});
    const control = new ControlRoom(sender, roomId);
    void control.#read(reader);
    return control;
  }

  private constructor(sender: TestClient, roomId: string) {
    this.#sender = sender;
    this.#roomId = roomId;
  }

  /** How long each message took, in ms. */
  async chat(ms: number): Promise<readonly number[]> {
    this.#latencies = [];
    const end = performance.now() + ms;
    const sending: Promise<unknown>[] = [];
    while (performance.now() < end) {
      this.#count += 1;
      const body = `message ${this.#count}`;
      this.#sent.set(body, performance.now());
      sending.push(this.#sender.send(this.#roomId, body));
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    await Promise.all(sending);
    while (this.#sent.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#latencies;
  }

  /** Until the server ends. */
  async #read(reader: TestClient): Promise<void> {
    try {
      let { next_batch: since } = await reader.sync();
      for (;;) {
        const answer = await reader.sync({ since, timeout: '30000' });
        since = answer.next_batch;
        const events = answer.rooms?.join?.[this.#roomId]?.timeline.events ?? [];
        for (const { content } of events) {
          const sentAt = this.#sent.get(content.body);
          if (sentAt === undefined) continue;
          this.#latencies.push(performance.now() - sentAt);
          this.#sent.delete(content.body);
        }
      }
    } catch {
      // The bench is over.
    }
  }
}
