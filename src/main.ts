// Where the process begins.

import { run } from './main/run.ts';

process.exit(await run(process.argv.slice(2)));
