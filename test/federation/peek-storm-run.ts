// Looking in bad weather, by hand:
//   node test/federation/peek-storm-run.ts [--seeds 1000] [--first 1] [--times 1] [--turns 60] [--servers 2] [--versions 10,11,12]
//     [--kills 2] [--partitions 1] [--processes]
// With --processes the servers are processes of their own, killed with kill -9, and have the real clock. Goes on after a
// seed that fails; exits with 1 if any has.

import { parseArgs } from 'node:util';
import { startNetwork } from './network.ts';
import { PEEK_STORM_CONFIG, PeekStorm } from './peek-storm.ts';
import { startProcessNetwork } from './process-network.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    times: { type: 'string', default: '1' },
    turns: { type: 'string', default: '60' },
    servers: { type: 'string', default: '2' },
    versions: { type: 'string', default: '10,11,12' },
    kills: { type: 'string', default: '2' },
    partitions: { type: 'string', default: '1' },
    processes: { type: 'boolean', default: false },
  },
});

const versions = values.versions.split(',');
const servers = Number(values.servers);
const options = {
  turns: Number(values.turns),
  kills: Number(values.kills),
  partitions: Number(values.partitions),
};

async function weather(seed: number): Promise<void> {
  const roomVersion = versions[seed % versions.length] ?? '12';
  const network = values.processes
    ? await startProcessNetwork({ servers, seed, config: PEEK_STORM_CONFIG })
    : await startNetwork({ servers, seed, clock: 'manual', config: PEEK_STORM_CONFIG });
  const begin = performance.now();
  try {
    const report = await new PeekStorm(network, { seed, roomVersion, ...options }).run();
    const { sent, shown, gaps, begun } = report;
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const counts = `${sent} sent, ${shown} shown, ${gaps} gaps filled, begun ${begun} times`;
    console.log(`seed ${seed}, room version ${roomVersion}: ${counts}, ${seconds} s`);
  } finally {
    await network.close();
  }
}

const failed: number[] = [];
const first = Number(values.first);
for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
  for (let time = 0; time < Number(values.times); time += 1) {
    await weather(seed).catch((error: Error) => {
      failed.push(seed);
      console.error(error.message);
    });
  }
}
console.log(failed.length === 0 ? 'all seen' : `failed seeds: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
