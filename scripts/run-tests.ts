// `npm test`: unit tests in one process, the others in processes of their own. Ends with the totals and, by name,
// with what was skipped and why. Arguments: files to run instead of all.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './source-files.ts';
import { type Suite, testFiles } from './test-files.ts';
import type { TestResults } from './test-results.ts';

const reporter = fileURLToPath(new URL('test-results.ts', import.meta.url));
const RUNNER_OPTIONS: Readonly<Record<Suite, readonly string[]>> = {
  unit: ['--test-isolation=none', '--test-timeout=60000'],
  integration: ['--test-concurrency=2', '--test-timeout=300000'],
  // Client libraries leave timers of minutes behind when they are told to stop.
  clients: ['--test-force-exit', '--test-timeout=120000'],
};
/** The specification's OpenAPI, where it lies beside the checkout. */
const DEFAULT_SPECIFICATION = join(root, '..', 'shared', 'matrix-spec');

async function runSuite(suite: Suite, files: readonly string[]): Promise<TestResults | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-tests-'));
  const destination = join(folder, 'results.json');
  const child = spawn(
    process.execPath,
    [
      '--test',
      ...RUNNER_OPTIONS[suite],
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${reporter}`,
      `--test-reporter-destination=${destination}`,
      ...files,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { KEYHOLE_MATRIX_SPEC: DEFAULT_SPECIFICATION, ...process.env },
    },
  );
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const text = readFileSync(destination, 'utf8');
  rmSync(folder, { recursive: true });
  return text === '' ? undefined : (JSON.parse(text) as TestResults);
}

function selected(suite: Suite): readonly string[] {
  const wanted = process.argv.slice(2);
  const all = testFiles(suite);
  return wanted.length === 0 ? all : all.filter((file) => wanted.some((one) => file.includes(one)));
}

const start = performance.now();
const outcomes: TestResults[] = [];
let isComplete = true;
for (const suite of ['unit', 'integration', 'clients'] as const) {
  const files = selected(suite);
  if (files.length === 0) continue;
  console.log(`\n${suite} tests: ${files.length} files`);
  const results = await runSuite(suite, files);
  if (results === undefined) isComplete = false;
  else outcomes.push(results);
}

const skipped = outcomes.flatMap((outcome) => outcome.skipped);
const failures = outcomes.flatMap((outcome) => outcome.failures);
const sum = (count: (outcome: TestResults) => number) =>
  outcomes.reduce((total, outcome) => total + count(outcome), 0);
const seconds = ((performance.now() - start) / 1000).toFixed(0);

console.log(skipped.length === 0 ? '\nNothing was skipped.' : '\nSkipped:');
for (const { name, reason } of skipped) console.log(`  - ${name}: ${reason}`);
if (failures.length > 0) console.log('\nFailed:');
for (const name of failures) console.log(`  - ${name}`);
const passed = sum((outcome) => outcome.passed);
const failed = sum((outcome) => outcome.failed);
console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped in ${seconds} s`);
if (!isComplete) console.error('A test runner ended without results.');
process.exitCode = failed === 0 && isComplete && passed > 0 ? 0 : 1;
