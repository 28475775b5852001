// Work that other servers make is done in pieces. What a user waits for, such as an event that is sent and told, takes several turns of
// the event loop: if there were a piece in each of them, it would wait for all of these.

import { setImmediate } from 'node:timers/promises';

const TURNS = 4;

/** Between two pieces. Where nobody else has anything to do, it costs some µs. */
export async function giveWay(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}
