// `npm run check` part: links between documents lead somewhere.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { brokenLinks } from './doc-links.ts';
import { projectFiles, readProjectFile, root } from './source-files.ts';

const documents = projectFiles()
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readProjectFile(path) }));
const faults = brokenLinks(documents, (path) => existsSync(join(root, path)));
for (const fault of faults) console.error(fault);
console.log(`${documents.length} documents, ${faults.length} broken links`);
process.exitCode = faults.length === 0 ? 0 : 1;
