// Looking in bad weather, a little: peek-storm-run.ts makes as much as one wants.

import { test } from 'node:test';
import { long } from '../long.ts';
import { startNetwork } from './network.ts';
import { PEEK_STORM_CONFIG, PeekStorm } from './peek-storm.ts';

const STORMS = [
  { roomVersion: '10', servers: 2, seed: 1 },
  { roomVersion: '11', servers: 3, seed: 1037 },
  { roomVersion: '12', servers: 3, seed: 1006 },
] as const;

for (const { servers, ...storm } of STORMS) {
  const { roomVersion, seed } = storm;
  const what = `${servers} servers, room version ${roomVersion}, seed ${seed}`;
  test(`who looks sees everything in bad weather: ${what}`, long, async () => {
    const config = PEEK_STORM_CONFIG;
    const network = await startNetwork({ servers, seed, clock: 'manual', config });
    try {
      await new PeekStorm(network, { ...storm, turns: 40, kills: 2, partitions: 1 }).run();
    } finally {
      await network.close();
    }
  });
}
