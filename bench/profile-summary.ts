// Sums up a .cpuprofile: self time by function, and by package or source folder.
//
//   node bench/profile-summary.ts FILE.cpuprofile

import { readFileSync } from 'node:fs';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function place(url: string): string {
  const inModules = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inModules) return inModules[1] ?? url;
  const inSource = /\/(src\/[^/]+(?:\/[^/]+)?)/.exec(url);
  return inSource?.[1] ?? (url === '' ? '(native)' : url);
}

const profile: Profile = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
const byFunction = new Map<string, number>();
const byPlace = new Map<string, number>();
let total = 0;
profile.samples.forEach((id, n) => {
  const frame = nodes.get(id);
  const time = profile.timeDeltas[n] ?? 0;
  if (frame === undefined || frame.functionName === '(idle)') return;
  total += time;
  const name = `${frame.functionName || '(anonymous)'} ${place(frame.url)}:${frame.lineNumber + 1}`;
  byFunction.set(name, (byFunction.get(name) ?? 0) + time);
  byPlace.set(place(frame.url), (byPlace.get(place(frame.url)) ?? 0) + time);
});

for (const [title, times, count] of [
  ['By place', byPlace, 30],
  ['By function', byFunction, 50],
] as const) {
  console.log(`${title} (self time, % of ${(total / 1e6).toFixed(1)} s busy)`);
  const rows = [...times].sort((a, b) => b[1] - a[1]).slice(0, count);
  for (const [name, time] of rows)
    console.log(`${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`);
}
