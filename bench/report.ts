// How figures are printed.

import type { Cost } from './watched-server.ts';

export interface Goal {
  readonly peakMb: number;
  readonly turnMs: number;
}

export function costLine(name: string, cost: Cost, goal: Goal): string {
  const figures = [
    `${cost.seconds.toFixed(2).padStart(7)} s`,
    `CPU ${cost.cpuSeconds.toFixed(2).padStart(6)} s`,
    `peak ${cost.peakMb.toFixed(0).padStart(4)} MB${mark(cost.peakMb > goal.peakMb)}`,
    `longest turn ${cost.cpuMs.toFixed(0).padStart(4)} ms CPU${mark(cost.cpuMs > goal.turnMs)}, ${cost.wallMs.toFixed(0)} ms by the clock`,
  ];
  return `${name.padEnd(30)} ${figures.join('  ')}`;
}

export function mark(isMissed: boolean): string {
  return isMissed ? ' (missed)' : '';
}

/** Of a list in any order. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
