// Great storms, by hand:
//   node test/federation/storm-run.ts [--seeds 100] [--first 1] [--events 2000] [--members 30] [--servers 3]
//     [--versions 6,10,11,12] [--kills 2] [--partitions 2] [--times 1] [--processes]
// With --processes the servers are processes of their own, killed with kill -9, and have the real clock. Goes on after a
// seed that fails, and names it; exits with 1 if any has. The same seed makes the same storm, but for what the machine makes of
// it in time: one that has failed may need some runs (--times) to fail again.

import { parseArgs } from 'node:util';
import { startNetwork } from './network.ts';
import { startProcessNetwork } from './process-network.ts';
import { Storm } from './storm.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    events: { type: 'string', default: '2000' },
    members: { type: 'string', default: '30' },
    servers: { type: 'string', default: '3' },
    versions: { type: 'string', default: '6,10,11,12' },
    kills: { type: 'string', default: '2' },
    partitions: { type: 'string', default: '2' },
    times: { type: 'string', default: '1' },
    processes: { type: 'boolean', default: false },
  },
});

const versions = values.versions.split(',');
const servers = Number(values.servers);
const options = {
  members: Number(values.members),
  events: Number(values.events),
  kills: Number(values.kills),
  partitions: Number(values.partitions),
};

async function weather(seed: number): Promise<void> {
  const roomVersion = versions[seed % versions.length] ?? '12';
  const network = values.processes
    ? await startProcessNetwork({ servers, seed })
    : await startNetwork({ servers, seed, clock: 'manual' });
  const begin = performance.now();
  try {
    const report = await new Storm(network, { seed, roomVersion, ...options }).run();
    const { sent, refused, accepted, refusedBySome } = report;
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    const events = `${accepted} events accepted by all, ${refusedBySome.length} not by all`;
    const counts = `${sent} sent, ${refused} refused, ${events}`;
    console.log(`seed ${seed}, room version ${roomVersion}: ${counts}, ${seconds} s`);
  } finally {
    await network.close();
  }
}

const failed = new Set<number>();
const first = Number(values.first);
const seeds = [...Array(Number(values.seeds)).keys()].map((n) => first + n);
for (const seed of seeds.flatMap((one) => Array(Number(values.times)).fill(one))) {
  await weather(seed).catch((error: Error) => {
    failed.add(seed);
    console.error(error.message);
  });
}
console.log(failed.size === 0 ? 'all agreed' : `failed seeds: ${[...failed].join(', ')}`);
process.exitCode = failed.size === 0 ? 0 : 1;
