// `npm test`: the suites, two at a time. What a suite prints comes when it has ended. Ends with the totals and, by name,
// with what was skipped and why. Arguments: files or folders to run instead of all.

import { suites } from './test-files.ts';
import type { TestResults } from './test-results.ts';
import { runSuite } from './test-suite.ts';

/** As many as cores that anybody has; more would only make them slower. */
const AT_ONCE = 2;
/** What takes longest, first: nothing is left then that keeps one core busy and the other idle. */
const FIRST = ['federation', 'unit', 'peek-peer', 'peeking', 'roomserver'];

const wanted = process.argv.slice(2);
const isWanted = (file: string) => wanted.length === 0 || wanted.some((one) => file.includes(one));
const rank = (suite: string) => (FIRST.includes(suite) ? FIRST.indexOf(suite) : FIRST.length);
const queue = [...suites()]
  .map(([suite, files]) => ({ suite, files: files.filter(isWanted) }))
  .filter(({ files }) => files.length > 0)
  .sort((a, b) => rank(a.suite) - rank(b.suite));

const start = performance.now();
const outcomes: TestResults[] = [];
const withoutResults: string[] = [];

const secondsSince = (moment: number) => ((performance.now() - moment) / 1000).toFixed(0);

async function runQueue(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { suite, files } = next;
    console.log(`${suite}: ${files.length} files …`);
    const begin = performance.now();
    const { results, output } = await runSuite(suite, files);
    process.stdout.write(`\n== ${suite}, ${secondsSince(begin)} s\n`);
    process.stdout.write(output);
    if (results === undefined) withoutResults.push(suite);
    else outcomes.push(results);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, runQueue));

const skipped = outcomes.flatMap((outcome) => outcome.skipped);
const failures = outcomes.flatMap((outcome) => outcome.failures);
const sum = (count: (outcome: TestResults) => number) =>
  outcomes.reduce((total, outcome) => total + count(outcome), 0);

console.log(skipped.length === 0 ? '\nNothing was skipped.' : '\nSkipped:');
for (const { name, reason } of skipped) console.log(`  - ${name}: ${reason}`);
if (failures.length > 0) console.log('\nFailed:');
for (const name of failures) console.log(`  - ${name}`);
const passed = sum((outcome) => outcome.passed);
const failed = sum((outcome) => outcome.failed);
console.log(
  `\n${passed} passed, ${failed} failed, ${skipped.length} skipped in ${secondsSince(start)} s`,
);
for (const suite of withoutResults)
  console.error(`The runner of the suite "${suite}" ended without results.`);
process.exitCode = failed === 0 && withoutResults.length === 0 && passed > 0 ? 0 : 1;
