// Which tests there are: unit tests beside the code, the rest under test/.

import { projectFiles } from './source-files.ts';

export type Suite = 'unit' | 'integration';

/** Paths from the root. */
export function testFiles(suite: Suite): readonly string[] {
  const isIntegration = (path: string) => path.startsWith('test/');
  return projectFiles()
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => isIntegration(path) === (suite === 'integration'));
}
