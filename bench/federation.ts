// `node bench/federation.ts`: how the server bears what other servers do to it. See docs/performance.md.
//
//   node bench/federation.ts [join] [hostile] [dead] [--members N] [--servers N] [--dead N] [--seconds N] [--profile FOLDER]
//
// `hostile` needs chrt (util-linux). Without a name: all of them, one after the other. `--profile`: writes a CPU profile of each server there.

import { parseArgs } from 'node:util';
import { benchDead } from './federation-dead.ts';
import { benchHostile } from './federation-hostile.ts';
import { benchJoin } from './federation-join.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    members: { type: 'string', default: '10000' },
    servers: { type: 'string', default: '50' },
    dead: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '30' },
    attack: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string' },
  },
});

if (values.profile !== undefined) {
  process.env.NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${values.profile}`;
}

const benches: Readonly<Record<string, () => Promise<void>>> = {
  join: () => benchJoin({ members: Number(values.members), servers: Number(values.servers) }),
  hostile: () => benchHostile({ seconds: Number(values.seconds), only: values.attack }),
  dead: () => benchDead({ dead: Number(values.dead), seconds: Number(values.seconds) }),
};

for (const name of positionals.length === 0 ? Object.keys(benches) : positionals) {
  const bench = benches[name];
  if (bench === undefined) throw new Error(`there is no bench ${name}`);
  await bench();
}
