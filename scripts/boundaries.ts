// Who may import whom: the layers of the architecture, and which component may call which.

import type { Import } from './source-files.ts';

export interface SourceFile {
  /** From the root: `src/…`. */
  readonly path: string;
  readonly imports: readonly Import[];
}

const COMPONENTS = [
  'clientapi',
  'roomserver',
  'syncserver',
  'federationapi',
  'federationsender',
  'userserver',
  'mediaserver',
];

/** Direct call in one process, remote call between processes; see docs/architecture.md. */
const MAY_CALL: Readonly<Record<string, readonly string[]>> = {
  clientapi: ['roomserver', 'syncserver', 'userserver', 'mediaserver'],
  federationapi: ['roomserver', 'federationsender', 'userserver', 'mediaserver'],
  syncserver: ['roomserver', 'userserver'],
  roomserver: ['federationsender'],
};

/** What each part outside the components may import besides itself and `protocol`. */
const INFRASTRUCTURE: Readonly<Record<string, readonly string[]>> = {
  main: ['base', 'http', 'config', 'eventlog', 'compose.ts'],
  protocol: [],
  database: ['base'],
  eventlog: ['base', 'database'],
  http: ['base'],
  federation: ['base', 'http', 'database'],
  rpc: ['base', 'http'],
  config: ['base', 'http'],
  base: [],
};

/** `base`: single files of src/ that everybody may use, such as clock.ts. */
function partOf(path: string): string {
  const [, first = '', second] = path.split('/');
  if (second !== undefined) return first;
  if (first === 'main.ts') return 'main';
  return first === 'compose.ts' ? first : 'base';
}

export function isTestFile(path: string): boolean {
  return /(\.test|\/testing|\/test-[a-z0-9-]+)\.ts$|\/testing\//.test(path);
}

/** One line per violation. */
export function boundaryViolations(files: readonly SourceFile[]): readonly string[] {
  const checked = files.filter((file) => !isTestFile(file.path));
  return checked.flatMap((file) =>
    file.imports.flatMap((one) => {
      const reason = one.isRelative ? relativeFault(file.path, one) : packageFault(file.path, one);
      return reason === undefined ? [] : [`${file.path} imports ${one.target}: ${reason}`];
    }),
  );
}

function packageFault(path: string, { target }: Import): string | undefined {
  if (target === 'node:process')
    return 'process is at hand anyway, its environment in config/ alone';
  if (partOf(path) !== 'protocol' || target === 'node:crypto') return undefined;
  return 'protocol/ imports only itself and node:crypto';
}

function relativeFault(path: string, one: Import): string | undefined {
  if (one.isReexport) return 'no barrels: import from the file that defines it';
  if (!one.target.startsWith('src/')) return 'src/ imports nothing outside src/';
  if (isTestFile(one.target)) return 'only tests import test support';
  const from = partOf(path);
  const to = partOf(one.target);
  if (from === to) return undefined;
  if (to === 'main') return 'nobody imports main';
  if (from === 'compose.ts') return composeFault(to, one);
  if (to === 'compose.ts' && from !== 'main') return 'only main imports compose.ts';
  if (COMPONENTS.includes(from)) return componentFault(from, to, one);
  if (COMPONENTS.includes(to)) return 'only compose.ts imports components';
  const allowed = INFRASTRUCTURE[from];
  if (allowed === undefined) return `src/${from} is no known part: say in scripts/boundaries.ts`;
  return to === 'protocol' || allowed.includes(to) ? undefined : `${from} may not use ${to}`;
}

function composeFault(to: string, { target }: Import): string | undefined {
  if (!COMPONENTS.includes(to) || target === `src/${to}/${to}.ts`) return undefined;
  return "compose.ts takes of a component the file of the component's name";
}

function componentFault(from: string, to: string, one: Import): string | undefined {
  if (to === 'config') return 'components take plain options; compose.ts reads the config';
  if (!COMPONENTS.includes(to)) return undefined;
  if (one.target !== `src/${to}/api.ts`) return 'of another component only its api.ts is seen';
  if (!one.isType) return 'another component is seen through "import type" alone';
  return MAY_CALL[from]?.includes(to) === true ? undefined : `${from} may not call ${to}`;
}

/** What is not the same at every call; a clock and ids are given to who needs them. */
const AMBIENT = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random)\b/;
const TIMERS = /\b(setTimeout|setInterval|setImmediate|process\.|console\.|fetch\()/;

/** `protocol` has neither time nor chance nor surroundings; elsewhere time comes from clock.ts. */
export function impurities(path: string, source: string): readonly string[] {
  if (isTestFile(path) || path === 'src/clock.ts') return [];
  const code = source.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
  const found = AMBIENT.exec(code) ?? (partOf(path) === 'protocol' ? TIMERS.exec(code) : null);
  return found === null ? [] : [`${path} uses ${found[0]}: it is to be passed in`];
}

/** Cycles among imports that exist when the code runs, each once, as `a → b → a`. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const imports = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter((one) => one.isRelative && !one.isType).map((one) => one.target),
    ]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push([...trail.slice(start), path].join(' → '));
    if (start !== -1 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return cycles;
}
