// Which tests there are: unit tests beside the code, the rest under test/.

import { projectFiles } from './source-files.ts';

export type Suite = 'unit' | 'integration' | 'clients';

/** Paths from the root. */
export function testFiles(suite: Suite): readonly string[] {
  return projectFiles().filter((path) => path.endsWith('.test.ts') && suiteOf(path) === suite);
}

function suiteOf(path: string): Suite {
  if (path.startsWith('test/clients/')) return 'clients';
  return path.startsWith('test/') ? 'integration' : 'unit';
}
