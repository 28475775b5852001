// `npm run check`: types, lint and format and sizes, boundaries, links, unit tests; side by side, in about a minute.

import { spawn } from 'node:child_process';
import { root } from './source-files.ts';
import { testFiles } from './test-files.ts';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const node = process.execPath;

/** Half of them: in one process they would be what all others wait for. */
function unitTests(half: 1 | 2): Step {
  return {
    name: `unit tests, half ${half}`,
    command: [
      node,
      '--test',
      '--test-isolation=none',
      `--test-shard=${half}/2`,
      '--test-timeout=60000',
      '--test-reporter=dot',
      ...testFiles('unit'),
    ],
  };
}

const steps: readonly Step[] = [
  { name: 'types', command: ['tsc', '--noEmit', '--pretty', 'false'] },
  { name: 'lint, format and sizes', command: ['biome', 'check', '--colors=off', '.'] },
  { name: 'boundaries', command: [node, 'scripts/check-boundaries.ts'] },
  { name: 'links in documents', command: [node, 'scripts/check-doc-links.ts'] },
  unitTests(1),
  unitTests(2),
];

async function run({ name, command: [file, ...args] }: Step): Promise<boolean> {
  const start = performance.now();
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (code !== 0) process.stderr.write(Buffer.concat(chunks));
  return code === 0;
}

const results = await Promise.all(steps.map(run));
process.exitCode = results.every(Boolean) ? 0 : 1;
