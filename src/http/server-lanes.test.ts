import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../clock.ts';
import { createRateLimits, noRateLimits } from './rate-limit.ts';
import { RATE_LIMIT_DEFAULTS } from './rate-limit-names.ts';
import { type Entering, ServerLanes, workOf } from './server-lanes.ts';

const TABLE = {
  ...RATE_LIMIT_DEFAULTS,
  federationWork: { perSecond: 100, burst: 100 },
  federationAddressWork: { perSecond: 200, burst: 200 },
};

const of = (address: string, origin: string, more: Partial<Entering> = {}): Entering => ({
  address,
  origin,
  isTransaction: false,
  bytes: 0,
  isReading: () => false,
  isGone: () => false,
  ...more,
});

/** Which of them have been let in so far. */
function watch<T>(promises: readonly Promise<T>[]): () => Promise<number[]> {
  const entered: number[] = [];
  for (const [i, promise] of promises.entries())
    promise.then(() => entered.push(i)).catch(() => {});
  return async () => {
    await setImmediate();
    return entered;
  };
}

test('of a server one transaction at a time is let in, others wait, and too many are refused', async () => {
  const lanes = new ServerLanes(noRateLimits, new ManualClock());
  const eve = of('192.0.2.1', 'eve', { isTransaction: true });
  const leave = await lanes.enter(eve);
  const waiting = Array.from({ length: 16 }, () => lanes.enter(eve));
  const entered = watch(waiting);
  await setImmediate();
  await assert.rejects(lanes.enter(eve), { errcode: 'M_LIMIT_EXCEEDED' });
  assert.deepEqual(await entered(), []);
  // Neither another server, nor who claims its name elsewhere, nor what is no transaction.
  await lanes.enter({ ...eve, origin: 'bob' });
  await lanes.enter({ ...eve, address: '192.0.2.2' });
  await lanes.enter(of('192.0.2.1', 'eve'));
  leave();
  leave();
  assert.deepEqual(await entered(), [0]);
  (await waiting[0])?.();
  assert.deepEqual(await entered(), [0, 1]);
});

test('a body that does not come keeps others out for a while, and one that is worked on for as long as that takes', async () => {
  const clock = new ManualClock();
  const lanes = new ServerLanes(noRateLimits, clock);
  const eve = of('192.0.2.1', 'eve', { isTransaction: true });
  await lanes.enter({ ...eve, isReading: () => true });
  const entered = watch([lanes.enter(eve), lanes.enter(eve)]);
  clock.advance(9_999);
  assert.deepEqual(await entered(), []);
  clock.advance(1);
  assert.deepEqual(await entered(), [0]);
  clock.advance(100_000);
  assert.deepEqual(await entered(), [0]);
});

test('who has done its work waits, and nobody else', async () => {
  const clock = new ManualClock();
  const lanes = new ServerLanes(createRateLimits(TABLE, clock), clock);
  const eve = of('192.0.2.1', 'eve', { bytes: 50 * 1024 });
  const promises = Array.from({ length: 5 }, () => lanes.enter(eve));
  const entered = watch(promises);
  assert.deepEqual(await entered(), [0, 1]);
  await lanes.enter(of('192.0.2.1', 'bob'));
  await lanes.enter(of('192.0.2.2', 'eve'));
  for (let ms = 0; ms < 500; ms += 100) clock.advance(100);
  assert.deepEqual((await entered()).slice(0, 3), [0, 1, 2]);
  for (let ms = 0; ms < 2000; ms += 100) {
    clock.advance(100);
    await setImmediate();
  }
  assert.deepEqual((await entered()).toSorted(), [0, 1, 2, 3, 4]);
});

test('ever new names at one address are bounded by the address', async () => {
  const clock = new ManualClock();
  const lanes = new ServerLanes(createRateLimits(TABLE, clock), clock);
  const promises = Array.from({ length: 300 }, (_, n) => lanes.enter(of('192.0.2.1', `s${n}`)));
  const entered = watch(promises);
  assert.equal((await entered()).length, 200);
  await assert.rejects(lanes.enter(of('192.0.2.1', 'one')), { errcode: 'M_LIMIT_EXCEEDED' });
  await lanes.enter(of('192.0.2.2', 'bob'));
});

test('who would wait too long is told when to come, who is gone makes way, and at the end all do', async () => {
  const clock = new ManualClock();
  const lanes = new ServerLanes(createRateLimits(TABLE, clock), clock);
  const eve = of('192.0.2.1', 'eve', { isTransaction: true });
  (await lanes.enter({ ...eve, bytes: 200 * 1024 * 1024 }))();
  await assert.rejects(
    lanes.enter(eve),
    ({ errcode, extra }) => errcode === 'M_LIMIT_EXCEEDED' && extra.retry_after_ms > 20_000,
  );
  const bob = of('192.0.2.2', 'bob', { isTransaction: true });
  lanes.spend(bob, 150);
  const gone = lanes.enter({ ...bob, isGone: () => clock.now() > 1_700_000_000_000 });
  const next = lanes.enter(bob);
  const rejected = assert.rejects(gone, { errcode: 'M_LIMIT_EXCEEDED' });
  await setImmediate();
  clock.advance(1000);
  await rejected;
  (await next)();
  lanes.spend(bob, 150);
  const last = assert.rejects(lanes.enter(bob), { errcode: 'M_LIMIT_EXCEEDED' });
  await setImmediate();
  lanes.close();
  await last;
});

test('work grows with what may be in the body', () => {
  assert.equal(workOf(0), 1);
  assert.equal(workOf(1024), 2.02);
  assert.ok(workOf(40 * 1024) < 50);
  assert.ok(workOf(10 * 1024 * 1024) > 250);
});
