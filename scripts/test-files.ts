// Which tests there are: unit tests beside the code, the rest under test/. A suite is what is run together.

import { projectFiles } from './source-files.ts';

/** `unit`, or a folder of test/. */
export type Suite = string;

export const UNIT = 'unit';

/** Paths from the root. */
export function testFiles(suite: Suite): readonly string[] {
  return suites().get(suite) ?? [];
}

/** Every suite with the paths of its files. */
export function suites(): ReadonlyMap<Suite, readonly string[]> {
  const found = new Map<Suite, string[]>();
  for (const path of projectFiles().filter((file) => file.endsWith('.test.ts'))) {
    const suite = /^test\/([^/]+)\//.exec(path)?.[1] ?? UNIT;
    found.set(suite, [...(found.get(suite) ?? []), path]);
  }
  return found;
}
