// `keyhole log` and `keyhole log retry`: what consumers could not apply, told and tried again without the server running.

import { systemClock } from '../clock.ts';
import { type ComposeOptions, compose, readParkedKeys } from '../compose.ts';
import { loadConfig } from '../config/config.ts';
import type { ParkedKey } from '../eventlog/eventlog.ts';
import { createLogger } from '../logger.ts';

const STILL_PARKED = 1;

/** A line for each parked key. The exit status is 0 when there is none. */
export async function listParked(configFile: string | undefined): Promise<number> {
  const parked = await readParkedKeys(optionsFor(configFile));
  for (const each of parked) say(each, `is parked: ${each.error}`);
  return parked.length === 0 ? 0 : STILL_PARKED;
}

/** A line for each parked key. The exit status is 0 when none is left. */
export async function retryParked(configFile: string | undefined): Promise<number> {
  const options = optionsFor(configFile);
  const parked = await readParkedKeys(options);
  if (parked.length === 0) return 0;
  const left = await retry(options, parked);
  const isLeft = (one: ParkedKey) => left.some((other) => placeOf(other) === placeOf(one));
  for (const each of parked) if (!isLeft(each)) say(each, 'goes on');
  for (const each of left) say(each, `is still parked: ${each.error}`);
  return left.length === 0 ? 0 : STILL_PARKED;
}

/** Returns what is parked afterwards. */
async function retry(options: ComposeOptions, parked: readonly ParkedKey[]): Promise<ParkedKey[]> {
  const keyhole = await compose(options);
  const { eventLog } = keyhole;
  try {
    // Consumers do so by themselves when they start; this waits for it. What fails is among those that are left.
    await Promise.allSettled(
      parked.map(({ consumer, topic, key }) => eventLog.retry(consumer, topic, key)),
    );
    return await eventLog.parked();
  } finally {
    await keyhole.close();
  }
}

function optionsFor(configFile: string | undefined): ComposeOptions {
  const { config } = loadConfig(configFile);
  return { config, logger: createLogger('silent'), clock: systemClock };
}

function placeOf({ consumer, topic, key }: ParkedKey): string {
  return `${consumer} ${topic} ${key}`;
}

function say(parked: ParkedKey, what: string): void {
  process.stdout.write(`${placeOf(parked)} ${what}\n`);
}
