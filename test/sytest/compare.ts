// Compares a SyTest run with what is known: passing.txt (names that pass) and failing.txt (names that do
// not, each with its reason). Exit 1 when something that passed no longer does, or fails without a reason.
//
//   node test/sytest/compare.ts [--update] results.tsv

import { readFileSync, writeFileSync } from 'node:fs';

interface Result {
  readonly status: string;
  readonly file: string;
  readonly name: string;
}

const passingFile = new URL('passing.txt', import.meta.url);
const failingFile = new URL('failing.txt', import.meta.url);

function lines(file: URL | string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function readResults(file: string): Result[] {
  return lines(file).map((line) => {
    const [status = '', path = '', name = ''] = line.split('\t');
    return { status, file: path, name };
  });
}

/** failing.txt: `file <tab> name <tab> reason`. */
function readFailing(): Map<string, string> {
  const rows = lines(failingFile).map((line) => line.split('\t'));
  return new Map(rows.map(([file, name, reason]) => [`${file}\t${name}`, reason ?? '']));
}

function print(title: string, rows: readonly Result[]): void {
  if (rows.length === 0) return;
  console.log(`${title}:`);
  for (const row of rows) console.log(`  ${row.file}\t${row.name}`);
}

const HEADING = '# SyTest names that pass: file <tab> name. Written by `test/sytest/run --update`.';

function writePassing(results: readonly Result[], known: ReadonlySet<string>): void {
  const ran = new Set(results.map((row) => row.file));
  const others = [...known].filter((key) => !ran.has(key.split('\t')[0] ?? ''));
  const passed = results
    .filter((row) => row.status === 'pass')
    .map((row) => `${row.file}\t${row.name}`);
  writeFileSync(
    passingFile,
    `${HEADING}\n${[...new Set([...others, ...passed])].sort().join('\n')}\n`,
  );
}

function main(args: readonly string[]): void {
  const results = readResults(
    args.find((arg) => !arg.startsWith('--')) ?? 'sytest-out/results.tsv',
  );
  const passing = new Set(lines(passingFile));
  const failing = readFailing();
  const key = (row: Result) => `${row.file}\t${row.name}`;
  const notPassed = results.filter((row) => row.status !== 'pass');
  // A test is skipped when one that it builds on fails: that, too, is no longer passing.
  const newlyFailing = notPassed.filter((row) => passing.has(key(row)));
  const unexplained = notPassed.filter(
    (row) => row.status === 'fail' && !passing.has(key(row)) && !failing.get(key(row)),
  );
  const passed = results.filter((row) => row.status === 'pass');
  const newlyPassing = passed.filter((row) => !passing.has(key(row)));
  print('Newly passing', newlyPassing);
  print(
    'Passing, though failing.txt has a reason why not',
    passed.filter((row) => failing.has(key(row))),
  );
  print('No longer passing', newlyFailing);
  print('Failing without a reason in failing.txt', unexplained);
  const count = (status: string) => results.filter((row) => row.status === status).length;
  console.log(`${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped`);
  if (args.includes('--update')) writePassing(results, passing);
  else if (newlyFailing.length + unexplained.length > 0) process.exitCode = 1;
}

main(process.argv.slice(2));
