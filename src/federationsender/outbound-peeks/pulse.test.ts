// Signs of life of the servers through which we look.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../clock.ts';
import { silentLogger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { Pulse } from './pulse.ts';

it('looks once at a time, however often it is started meanwhile', async () => {
  const clock = new ManualClock();
  let looks = 0;
  let answer = Promise.withResolvers<object>();
  const pulse = new Pulse({
    clock,
    logger: silentLogger,
    client: { request: () => answer.promise as never },
    servers: async () => {
      looks++;
      return ['slow.example' as ServerName];
    },
    onGone: async () => undefined,
  });
  const pass = async (ms: number) => {
    clock.advance(ms);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  };
  pulse.start();
  await pass(60_000);
  for (let minute = 0; minute < 3; minute++) {
    pulse.start();
    answer.resolve({});
    await pass(0);
    answer = Promise.withResolvers();
    await pass(60_000);
  }
  answer.resolve({});
  await pass(0);
  looks = 0;
  await pass(60_000);
  assert.equal(looks, 1);
  await pulse.close();
  await pass(60_000);
  assert.equal(looks, 1);
});
