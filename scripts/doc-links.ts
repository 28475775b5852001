// Links between the project's documents: the file and the heading they name.

import { posix } from 'node:path';

export interface DocumentFile {
  readonly path: string;
  readonly text: string;
}

const LINK = /\[[^\]]*\]\(([^)\s]+)(?:\s"[^"]*")?\)/g;

/** One line per broken link. `exists` is asked for files and folders, as paths from the root. */
export function brokenLinks(
  documents: readonly DocumentFile[],
  exists: (path: string) => boolean,
): readonly string[] {
  const headings = new Map(documents.map(({ path, text }) => [path, anchorsOf(text)]));
  return documents.flatMap(({ path, text }) =>
    linksOf(text).flatMap((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : posix.join(posix.dirname(path), file);
      if (!exists(target)) return [`${path}: ${link}: there is no ${target}`];
      const isFound = anchor === undefined || headings.get(target)?.has(anchor) !== false;
      return isFound ? [] : [`${path}: ${link}: there is no such heading`];
    }),
  );
}

function linksOf(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(LINK)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/.test(link));
}

function anchorsOf(text: string): ReadonlySet<string> {
  const headings = withoutFences(text).matchAll(/^#+\s+(.+?)\s*#*$/gm);
  return new Set([...headings].map((match) => anchorOf(match[1] ?? '')));
}

/** As forges make it: lower case, punctuation gone, spaces to hyphens. */
function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replace(/[^\p{Letter}\p{Number}\s_-]/gu, '');
  return plain.replace(/\s/g, '-');
}

function withoutFences(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '');
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, '');
}
