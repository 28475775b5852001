// `npm run bench`: start-up, memory, and what a sent event costs, in one run. See docs/performance.md.
//
//   node bench/run.ts [--url URL --pid PID] [--events N] [--profile FOLDER]
//
// Without --url it starts Keyhole itself on SQLite with its defaults, in a temporary folder.

import { parseArgs } from 'node:util';
import { type ServerProcess, startServer } from '../test/server-process.ts';
import { type LoadResult, type PreparedLoad, prepareLoad } from './load.ts';
import { cpuTime, residentMb } from './process-cost.ts';
import { signatureMicroseconds } from './signature.ts';
import { SignaturesBeside } from './signature-beside.ts';

/** Of each sender. With fewer, functions are still being compiled while they are measured: up to a tenth more. */
const WARM_UP_EVENTS = 300;
const TURNS = 6;

/** µs: of one signature, and per event of the server's CPU time. */
interface Turn {
  /** While nothing else is done here, and meanwhile. */
  readonly alone: number;
  readonly signature: number;
  readonly user: number;
  readonly system: number;
  readonly result: LoadResult;
}

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    pid: { type: 'string' },
    events: { type: 'string', default: '100' },
    profile: { type: 'string' },
  },
});

async function startOwn(): Promise<ServerProcess> {
  if (values.profile !== undefined)
    process.env.NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${values.profile}`;
  const first = await startServer();
  await first.stop(); // fills the compile cache, as any second start finds it
  const start = performance.now();
  await first.restart();
  console.log(
    `start-up to first answer   ${((performance.now() - start) / 1000).toFixed(2)} s   (goal 1 s)`,
  );
  console.log(`resident after start-up    ${residentMb(first.pid).toFixed(0)} MB   (goal 150 MB)`);
  return first;
}

/** What a sent event costs is measured in turns with a signature: neighbours of the machine make both dearer, from second to second. */
async function measure(baseUrl: string, pid: number): Promise<void> {
  const shape = { rooms: 32, membersPerRoom: 10, pollersPerRoom: 2 };
  const load = await prepareLoad(baseUrl, shape);
  await load.run(WARM_UP_EVENTS);
  const signatures = new SignaturesBeside();
  const turns: Turn[] = [];
  for (let n = 0; n < TURNS; n += 1) turns.push(await takeTurn(load, pid, signatures));
  await signatures.close();
  await load.close();
  report(turns);
  console.log(`resident after the load    ${residentMb(pid).toFixed(0)} MB`);
}

async function takeTurn(
  load: PreparedLoad,
  pid: number,
  signatures: SignaturesBeside,
): Promise<Turn> {
  const alone = signatureMicroseconds();
  const before = cpuTime(pid);
  const { result, µs } = await signatures.during(() => load.run(Number(values.events)));
  const now = cpuTime(pid);
  const user = ((now.user - before.user) * 1000) / result.events;
  const system = ((now.system - before.system) * 1000) / result.events;
  return { alone, signature: µs, user, system, result };
}

function report(turns: readonly Turn[]): void {
  const mean = (of: (turn: Turn) => number) =>
    turns.reduce((sum, turn) => sum + of(turn), 0) / turns.length;
  const sum = (of: (turn: Turn) => number) => mean(of) * turns.length;
  const alone = mean((turn) => turn.alone);
  const signature = mean((turn) => turn.signature);
  const user = mean((turn) => turn.user);
  const system = mean((turn) => turn.system);
  const ratios = turns.map((turn) => (turn.user + turn.system) / turn.signature);
  const range = `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
  console.log(
    `events, deliveries         ${sum((turn) => turn.result.events)}, ${sum((turn) => turn.result.deliveries)} in ${sum((turn) => turn.result.seconds).toFixed(1)} s`,
  );
  console.log(
    `send p50, p99              ${mean((turn) => turn.result.sendP50).toFixed(1)} ms, ${Math.max(...turns.map((turn) => turn.result.sendP99)).toFixed(1)} ms`,
  );
  console.log(
    `one Ed25519 signature      ${signature.toFixed(1)} µs meanwhile, ${alone.toFixed(1)} µs alone`,
  );
  console.log(
    `server CPU per event       ${(user + system).toFixed(0)} µs = ${((user + system) / signature).toFixed(1)} × signature meanwhile (${range}), ${((user + system) / alone).toFixed(1)} × alone (user ${user.toFixed(0)}, system ${system.toFixed(0)})`,
  );
}

if (values.url !== undefined && values.pid !== undefined) {
  await measure(values.url, Number(values.pid));
} else {
  const server = await startOwn();
  try {
    await measure(server.baseUrl, server.pid);
  } finally {
    await server.stop();
    await server.remove();
  }
}
