// Small storms, one for each sort of state resolution and of event format that is in use. storm-run.ts makes great ones.

import { test } from 'node:test';
import { long } from '../long.ts';
import { startNetwork } from './network.ts';
import { Storm } from './storm.ts';

const SEEDS = { '6': 61, '10': 101, '11': 111, '12': 121 } as const;

for (const [roomVersion, seed] of Object.entries(SEEDS)) {
  test(
    `three servers agree after a storm, room version ${roomVersion}, seed ${seed}`,
    long,
    async () => {
      const network = await startNetwork({ servers: 3, seed, clock: 'manual' });
      try {
        const size = { members: 9, events: 100, kills: 1, partitions: 1 };
        await new Storm(network, { seed, roomVersion, ...size }).run();
      } finally {
        await network.close();
      }
    },
  );
}
