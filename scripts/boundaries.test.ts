import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundaryViolations, importCycles, impurities } from './boundaries.ts';
import { brokenLinks } from './doc-links.ts';
import { importsOf } from './source-files.ts';

const fileOf = (path: string, source: string) => ({ path, imports: importsOf(path, source) });
const violations = (path: string, source: string) => boundaryViolations([fileOf(path, source)]);

test('imports are found however they are written', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from '../b.ts';",
    "import {\n  c,\n  d,\n} from 'package';",
    "import './side-effect.ts';",
    "export { e } from './e.ts';",
    'const text = \'import { x } from "y"\';',
    "const late = await import('./late.ts');",
  ].join('\n');
  const found = importsOf('src/http/x.ts', source);
  assert.deepEqual(
    found.map(({ target, isType, isReexport }) => [target, isType, isReexport]),
    [
      ['src/http/a.ts', false, false],
      ['src/b.ts', true, false],
      ['package', false, false],
      ['src/http/side-effect.ts', false, false],
      ['src/http/e.ts', false, true],
      ['src/http/late.ts', false, false],
    ],
  );
});

test('what may be imported passes', () => {
  for (const [path, source] of [
    ['src/clientapi/routes/sync.ts', "import type { Syncserver } from '../../syncserver/api.ts';"],
    ['src/clientapi/routes/sync.ts', "import { route } from '../../http/route.ts';"],
    ['src/roomserver/store/a.ts', "import { sql } from '../../database/sql.ts';"],
    ['src/roomserver/a.ts', "import { b } from './store/b.ts';"],
    ['src/eventlog/a.ts', "import { sql } from '../database/sql.ts';"],
    ['src/protocol/a.ts', "import { hash } from 'node:crypto';"],
    ['src/http/a.ts', "import { systemClock } from '../clock.ts';"],
    ['src/compose.ts', "import { createRoomserver } from './roomserver/roomserver.ts';"],
    ['src/main.ts', "import { compose } from './compose.ts';"],
    ['src/http/a.test.ts', "import { start } from './testing.ts';"],
  ] as const) {
    assert.deepEqual(violations(path, source), [], `${path}: ${source}`);
  }
});

test('what may not be imported is named with its rule', () => {
  for (const [path, source, reason] of [
    ['src/protocol/a.ts', "import { readFile } from 'node:fs';", /only itself and node:crypto/],
    ['src/http/a.ts', "import { env } from 'node:process';", /in config\/ alone/],
    ['src/protocol/a.ts', "import { sql } from '../database/sql.ts';", /protocol may not use/],
    ['src/http/a.ts', "import type { X } from '../roomserver/api.ts';", /only compose/],
    ['src/database/a.ts', "import { x } from '../eventlog/eventlog.ts';", /may not use eventlog/],
    ['src/clientapi/a.ts', "import { x } from '../roomserver/api.ts';", /import type/],
    ['src/clientapi/a.ts', "import type { X } from '../roomserver/store/x.ts';", /only its api/],
    ['src/clientapi/a.ts', "import type { X } from '../federationsender/api.ts';", /may not call/],
    ['src/userserver/a.ts', "import type { X } from '../roomserver/api.ts';", /may not call/],
    ['src/roomserver/a.ts', "import type { Config } from '../config/config.ts';", /plain options/],
    ['src/roomserver/a.ts', "import { compose } from '../compose.ts';", /only main/],
    ['src/main/a.ts', "import type { X } from '../roomserver/api.ts';", /only compose/],
    ['src/main/a.ts', "import { x } from '../database/sqlite.ts';", /main may not use database/],
    ['src/compose.ts', "import { x } from './roomserver/store/x.ts';", /the file of the component/],
    ['src/http/a.ts', "import { start } from './testing.ts';", /test support/],
    ['src/http/a.ts', "export { b } from './b.ts';", /no barrels/],
    ['src/http/a.ts', "import { x } from '../../scripts/x.ts';", /nothing outside src/],
    ['src/new/a.ts', "import { x } from '../clock.ts';", /no known part/],
  ] as const) {
    const found = violations(path, source);
    assert.equal(found.length, 1, `${path}: ${source}`);
    assert.match(found[0] ?? '', reason);
  }
});

test('time and chance are passed in, and protocol has no surroundings', () => {
  for (const [path, source] of [
    ['src/roomserver/a.ts', 'const ts = Date.now();'],
    ['src/protocol/a.ts', 'const id = Math.random();'],
    ['src/protocol/a.ts', 'setTimeout(run, 1);'],
    ['src/protocol/a.ts', "console.warn('x');"],
  ] as const) {
    assert.equal(impurities(path, source).length, 1, `${path}: ${source}`);
  }
  for (const [path, source] of [
    ['src/clock.ts', 'const ts = Date.now();'],
    ['src/http/a.ts', 'setTimeout(run, 1);'],
    ['src/protocol/a.ts', '// Date.now() is not for here\nconst date = new Date(ts);'],
  ] as const) {
    assert.deepEqual(impurities(path, source), [], `${path}: ${source}`);
  }
});

test('cycles of imports are found, those of types alone are none', () => {
  const cyclic = [
    fileOf('src/a.ts', "import { b } from './b.ts';"),
    fileOf('src/b.ts', "import { c } from './c.ts';"),
    fileOf('src/c.ts', "import { a } from './a.ts';\nimport { d } from './d.ts';"),
    fileOf('src/d.ts', "import type { A } from './a.ts';"),
  ];
  assert.deepEqual(importCycles(cyclic), ['src/a.ts → src/b.ts → src/c.ts → src/a.ts']);
  assert.deepEqual(importCycles(cyclic.slice(1)), []);
});

test('links between documents: files and headings', () => {
  const documents = [
    {
      path: 'README.md',
      text: '# A\n[good](docs/b.md#two-words-here) [self](#a) [web](https://example.org) `[no](no.md)`',
    },
    {
      path: 'docs/b.md',
      text: '## Two words, here\n[up](../README.md) [gone](gone.md) [head](../README.md#b)\n```\n[x](y)\n```',
    },
  ];
  const exists = (path: string) => documents.some((document) => document.path === path);
  assert.deepEqual(brokenLinks(documents, exists), [
    'docs/b.md: gone.md: there is no docs/gone.md',
    'docs/b.md: ../README.md#b: there is no such heading',
  ]);
});
