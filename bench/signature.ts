// The unit in which costs are given: one Ed25519 signature by node:crypto on this machine, now.

import { generateKeyPairSync, sign } from 'node:crypto';

/** µs of CPU for one signature of 700 bytes: the median of several rounds, so that a busy neighbour does not decide. */
export function signatureMicroseconds(): number {
  const { privateKey } = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(700, 'x');
  const rounds: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const before = process.cpuUsage();
    for (let n = 0; n < 2_000; n += 1) sign(null, message, privateKey);
    const used = process.cpuUsage(before);
    rounds.push((used.user + used.system) / 2_000);
  }
  return rounds.sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
}
