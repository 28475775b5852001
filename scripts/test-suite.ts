// One suite of tests, run by node's own runner.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './source-files.ts';
import { type Suite, UNIT } from './test-files.ts';
import type { TestResults } from './test-results.ts';

export interface SuiteOutcome {
  /** Absent: the runner ended without any. */
  readonly results: TestResults | undefined;
  readonly output: Buffer;
}

const reporter = fileURLToPath(new URL('test-results.ts', import.meta.url));
/** The specification's OpenAPI, where it lies beside the checkout. */
const DEFAULT_SPECIFICATION = join(root, '..', 'shared', 'matrix-spec');
/** ms; a suite that is still at it then hangs. */
const MAX_DURATION = 1_200_000;
/** Their files share a process: what they all import is loaded and compiled once. */
const IN_ONE_PROCESS: readonly Suite[] = [
  UNIT,
  'federation',
  'peek-peer',
  'peeking',
  'rooms',
  'roomserver',
];

function runnerOptions(suite: Suite): readonly string[] {
  if (suite === UNIT) return ['--test-isolation=none', '--test-timeout=60000'];
  if (IN_ONE_PROCESS.includes(suite)) return ['--test-isolation=none', '--test-timeout=300000'];
  // Client libraries leave timers of minutes behind when they are told to stop.
  if (suite === 'clients') return ['--test-force-exit', '--test-timeout=120000'];
  return ['--test-concurrency=1', '--test-timeout=300000'];
}

/** Runs the files and collects what they print. */
export async function runSuite(suite: Suite, files: readonly string[]): Promise<SuiteOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-tests-'));
  const destination = join(folder, 'results.json');
  const child = spawn(
    process.execPath,
    [
      '--test',
      ...runnerOptions(suite),
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${reporter}`,
      `--test-reporter-destination=${destination}`,
      ...files,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        KEYHOLE_MATRIX_SPEC: DEFAULT_SPECIFICATION,
        // The one of bin/keyhole.
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile'),
        ...process.env,
      },
      timeout: MAX_DURATION,
      killSignal: 'SIGKILL',
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  // `a+`: empty where the runner ended before it made one.
  const text = readFileSync(destination, { encoding: 'utf8', flag: 'a+' });
  rmSync(folder, { recursive: true });
  const results = text === '' ? undefined : (JSON.parse(text) as TestResults);
  return { results, output: Buffer.concat(chunks) };
}
