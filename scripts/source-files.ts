// The project's files and what they import, as the checks see them.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Paths from the root with `/`: code and documents, not what is installed or generated. */
export function projectFiles(): readonly string[] {
  const patterns = ['*.md', '{src,test,scripts,bench,docs}/**/*.{ts,md}'];
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll(sep, '/'))
    .sort();
}

export function readProjectFile(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

export interface Import {
  /** A path from the root where it is relative in the source, else the package or `node:` name. */
  readonly target: string;
  readonly isRelative: boolean;
  /** `import type`: gone when the code runs. */
  readonly isType: boolean;
  readonly isReexport: boolean;
}

/** Good for formatted source alone: a statement starts its line, and strings are in single quotes. */
const STATEMENT =
  /^(import|export)\s+(type\s)?(?:[^;']*?\sfrom\s+)?'([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm;

export function importsOf(file: string, source: string): readonly Import[] {
  return [...source.matchAll(STATEMENT)].map(([, keyword, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? '';
    const isRelative = specifier.startsWith('.');
    return {
      target: isRelative ? posix.join(dirname(file), specifier) : specifier,
      isRelative,
      isType: type !== undefined,
      isReexport: keyword === 'export',
    };
  });
}
