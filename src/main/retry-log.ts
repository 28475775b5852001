// `keyhole log retry`: lets consumers try again what they could not apply, without the server running.

import { systemClock } from '../clock.ts';
import { compose } from '../compose.ts';
import { loadConfig } from '../config/config.ts';
import type { ParkedKey } from '../eventlog/eventlog.ts';
import { createLogger } from '../logger.ts';

const STILL_PARKED = 1;

/** A line for each parked key. The exit status is 0 when none is left. */
export async function retryLog(configFile: string | undefined): Promise<number> {
  const { config } = loadConfig(configFile);
  const keyhole = await compose({ config, logger: createLogger('silent'), clock: systemClock });
  try {
    for (const parked of await keyhole.eventLog.parked()) await retry(parked);
    const left = await keyhole.eventLog.parked();
    for (const { error, ...place } of left) say(place, `is still parked: ${error}`);
    return left.length === 0 ? 0 : STILL_PARKED;
  } finally {
    await keyhole.close();
  }

  async function retry({ consumer, topic, key }: ParkedKey): Promise<void> {
    const failure = await keyhole.eventLog.retry(consumer, topic, key).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) say({ consumer, topic, key }, 'goes on');
  }
}

function say({ consumer, topic, key }: Omit<ParkedKey, 'error' | 'position'>, what: string): void {
  process.stdout.write(`${consumer} ${topic} ${key} ${what}\n`);
}
