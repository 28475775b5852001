// Where the process begins. Compiled code is cached before anything else is imported.

import { enableCompileCache } from 'node:module';

enableCompileCache();
const { run } = await import('./main/run.ts');
process.exit(await run(process.argv.slice(2)));
