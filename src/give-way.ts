// Work that other servers make is done in pieces, one after another, whoever makes it. What a user waits for, such as an event that is
// sent and told, takes several turns of the event loop: if there were a piece in each of them, it would wait for all of these.

import { setImmediate } from 'node:timers/promises';

const TURNS = 4;

let last = Promise.resolve();

/** Between two pieces, in order for all that there are. Where nobody else has anything to do, it costs some µs. */
export function giveWay(): Promise<void> {
  last = last.then(pass);
  return last;
}

async function pass(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}
