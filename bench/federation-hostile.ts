// What a room of well-behaved users notices of a server that attacks: the time from sending a message to its delivery, without
// and with the attack, in turns. The attacker is a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestClient } from '../test/client.ts';
import { mark, quantile } from './report.ts';
import { WatchedServer } from './watched-server.ts';

export interface HostileOptions {
  /** Of each turn; there are two quiet ones, and two under attack. */
  readonly seconds: number;
  /** Names of attacks; none: all. */
  readonly only: readonly string[];
}

const INTERVAL_MS = 100;
const GOAL = { ratio: 2, peakMb: 300 };
const attacker = fileURLToPath(new URL('./attacker.ts', import.meta.url));

export async function benchHostile({ seconds, only }: HostileOptions): Promise<void> {
  console.log('\na room of local users, and a server that attacks another one');
  const server = await WatchedServer.start({ rate_limits: { enabled: true } });
  const child = startAttacker();
  try {
    const ann = await server.user('ann');
    const target = await ann.createRoom({ preset: 'public_chat', room_version: '11' });
    const control = await ControlRoom.open(server, ann);
    await tell(child, { begin: { destination: server.name, roomId: target } }, 'ready');
    await control.chat(2_000);
    control.latencies.splice(0);
    const quiet: number[] = [];
    const besieged: number[] = [];
    let peakMb = 0;
    let cpuSeconds = 0;
    let turnMs = 0;
    for (let turn = 0; turn < 2; turn += 1) {
      await control.chat(seconds * 1000);
      quiet.push(...control.latencies.splice(0));
      await tell(child, { attack: true, only }, 'attacking');
      const { cost } = await server.cost(() => control.chat(seconds * 1000));
      const { counts } = await tell(child, { attack: false }, 'counts');
      besieged.push(...control.latencies.splice(0));
      peakMb = Math.max(peakMb, cost.peakMb);
      cpuSeconds += cost.cpuSeconds;
      turnMs = Math.max(turnMs, cost.cpuMs);
      if (turn === 1) console.log(`attacks                        ${JSON.stringify(counts)}`);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
    report({ quiet, besieged, peakMb, turnMs });
    console.log(`CPU under attack               ${cpuSeconds.toFixed(1)} s of ${2 * seconds} s`);
    const stored = await ann.ok('GET', `/v3/rooms/${encodeURIComponent(target)}/state`);
    console.log(`state of the attacked room     ${stored.length} events`);
  } finally {
    child.kill();
    await server.remove();
  }
}

/** In life it has a machine of its own: what its work costs here is not to count, so that it gets what others leave. */
function startAttacker(): ChildProcess {
  return fork(attacker, {
    env: { ...process.env, NODE_OPTIONS: '' },
    execPath: 'chrt',
    execArgv: ['--idle', '0', process.execPath],
  });
}

function report(found: {
  readonly quiet: readonly number[];
  readonly besieged: readonly number[];
  readonly peakMb: number;
  readonly turnMs: number;
}): void {
  const { quiet, besieged, peakMb, turnMs } = found;
  const line = (name: string, latencies: readonly number[]) => {
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    const figures = `p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  of ${latencies.length}`;
    console.log(`${name.padEnd(30)} ${figures}`);
    return p99;
  };
  const before = line('delivered, undisturbed', quiet);
  const under = line('delivered, under attack', besieged);
  const ratio = under / before;
  console.log(`p99 to p99 undisturbed         ${ratio.toFixed(2)}${mark(ratio > GOAL.ratio)}`);
  const peak = `${peakMb.toFixed(0)} MB${mark(peakMb > GOAL.peakMb)}`;
  console.log(`memory at most                 ${peak}; longest turn ${turnMs.toFixed(0)} ms CPU`);
}

// biome-ignore lint/suspicious/noExplicitAny: messages of every shape
async function tell(child: ChildProcess, message: object, answer: string): Promise<any> {
  child.send(message);
  for (;;) {
    // biome-ignore lint/suspicious/noExplicitAny: messages of every shape
    const [said] = (await once(child, 'message')) as any[];
    if (answer in said) return said;
  }
}

/** A sender, and somebody who waits in /sync. */
class ControlRoom {
  readonly latencies: number[] = [];
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

  async chat(ms: number): Promise<void> {
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
          this.latencies.push(performance.now() - sentAt);
          this.#sent.delete(content.body);
        }
      }
    } catch {
      // The bench is over.
    }
  }
}
