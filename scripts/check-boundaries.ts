// `npm run check` part: import rules, import cycles, time and chance, names that say nothing, errors that are swallowed.

import { boundaryViolations, importCycles, impurities, type SourceFile } from './boundaries.ts';
import { importsOf, projectFiles, readProjectFile } from './source-files.ts';

const EMPTY_NAMES = /(^|[/-])(utils?|helpers?|common|managers?|misc)(-|\.|\/|$)/;
const EMPTY_CATCH = /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/;

const paths = projectFiles().filter((path) => path.endsWith('.ts'));
const sources = paths.map((path) => ({ path, text: readProjectFile(path) }));
const files: readonly SourceFile[] = sources
  .filter(({ path }) => path.startsWith('src/'))
  .map(({ path, text }) => ({ path, imports: importsOf(path, text) }));

const faults = [
  ...boundaryViolations(files),
  ...sources
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap(({ path, text }) => impurities(path, text)),
  ...importCycles(files).map((cycle) => `import cycle: ${cycle}`),
  ...paths.filter((path) => EMPTY_NAMES.test(path)).map((path) => `${path}: the name says nothing`),
  ...sources
    .filter(({ text }) => EMPTY_CATCH.test(text))
    .map(({ path }) => `${path}: an empty catch swallows errors`),
];
for (const fault of faults) console.error(fault);
console.log(`${files.length} source files, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
