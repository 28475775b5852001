// A few small storms around a look in every run; great ones by hand, see peek-storm-run.ts.

import { test } from 'node:test';
import { startNetwork } from './network.ts';
import { PEEK_STORM_CONFIG, PeekStorm } from './peek-storm.ts';

for (const [roomVersion, servers, seed] of [
  ['10', 2, 3],
  ['11', 2, 4],
  ['12', 2, 8],
  ['12', 3, 5],
] as const) {
  test(`who looks in sees every event once: room version ${roomVersion}, ${servers} servers, seed ${seed}`, async (t) => {
    const config = PEEK_STORM_CONFIG;
    const network = await startNetwork({ servers, seed, clock: 'manual', config });
    t.after(() => network.close());
    const options = { seed, roomVersion, turns: 40, kills: 2, partitions: 1 };
    await new PeekStorm(network, options).run();
  });
}
