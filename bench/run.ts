// `npm run bench`: start-up, memory, and what a sent event costs, in one run. See docs/performance.md.
//
//   node bench/run.ts [--url URL --pid PID] [--events N] [--profile FOLDER]
//
// Without --url it starts Keyhole itself on SQLite with its defaults, in a temporary folder.

import { parseArgs } from 'node:util';
import { type ServerProcess, startServer } from '../test/server-process.ts';
import { prepareLoad } from './load.ts';
import { cpuTime, residentMb } from './process-cost.ts';
import { signatureMicroseconds } from './signature.ts';

/** Of each sender. With fewer, functions are still being compiled while they are measured: up to a tenth more. */
const WARM_UP_EVENTS = 300;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    pid: { type: 'string' },
    events: { type: 'string', default: '200' },
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

async function measure(baseUrl: string, pid: number): Promise<void> {
  const shape = {
    rooms: 32,
    membersPerRoom: 10,
    pollersPerRoom: 2,
    eventsPerSender: Number(values.events),
  };
  const load = await prepareLoad(baseUrl, shape);
  await load.run(WARM_UP_EVENTS);
  const signature = signatureMicroseconds();
  const before = cpuTime(pid);
  const result = await load.run(shape.eventsPerSender);
  const now = cpuTime(pid);
  const user = ((now.user - before.user) * 1000) / result.events;
  const system = ((now.system - before.system) * 1000) / result.events;
  const perEvent = user + system;
  await load.close();
  console.log(
    `events, deliveries         ${result.events}, ${result.deliveries} in ${result.seconds.toFixed(1)} s`,
  );
  console.log(
    `send p50, p99              ${result.sendP50.toFixed(1)} ms, ${result.sendP99.toFixed(1)} ms`,
  );
  console.log(`one Ed25519 signature      ${signature.toFixed(1)} µs`);
  console.log(
    `server CPU per event       ${perEvent.toFixed(0)} µs = ${(perEvent / signature).toFixed(1)} × signature (user ${user.toFixed(0)}, system ${system.toFixed(0)})`,
  );
  console.log(`resident after the load    ${residentMb(pid).toFixed(0)} MB`);
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
