// Glob patterns (appendices, "Glob-style matching"): `*` is any run of characters, `?` any one character.
// Matching is case-insensitive and takes time in proportion to text × pattern, whatever the pattern:
// the stretches between stars are found one after the other, nothing is ever tried again.

export type GlobMatcher = (text: string) => boolean;

/** Identifiers and keywords are shorter. A longer pattern matches nothing. */
export const MAX_GLOB_LENGTH = 255;
/** Of a longer text only the beginning is searched: strangers write it, and many patterns are looked for in it. */
export const MAX_SEARCHED_LENGTH = 16_384;

/** Matches whole texts. */
export function compileGlob(pattern: string): GlobMatcher {
  return cached(pattern, 'whole');
}

/**
 * Matches texts in which the pattern stands between word boundaries: the start or end of the text, or a
 * character other than A-Z, a-z, 0-9 and _ (Client-Server API, "event_match"). The empty pattern is no word
 * and matches nothing.
 */
export function compileWordGlob(pattern: string): GlobMatcher {
  return cached(pattern, 'words');
}

type Mode = 'whole' | 'words';

const EDGES: Readonly<Record<Mode, readonly [start: string, end: string]>> = {
  whole: ['^', '$'],
  words: ['(?<![A-Za-z0-9_])', '(?![A-Za-z0-9_])'],
};

const CACHE_SIZE = 4_096;
const caches: Readonly<Record<Mode, Map<string, GlobMatcher>>> = {
  whole: new Map(),
  words: new Map(),
};

function cached(pattern: string, mode: Mode): GlobMatcher {
  const cache = caches[mode];
  let matcher = cache.get(pattern);
  if (matcher === undefined) {
    matcher = compile(pattern, mode);
    // Starting anew now and then costs less than keeping order.
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(pattern, matcher);
  }
  return matcher;
}

function compile(pattern: string, mode: Mode): GlobMatcher {
  const isHopeless = pattern === '' && mode === 'words';
  if (isHopeless || pattern.length > MAX_GLOB_LENGTH) return () => false;
  if (mode === 'whole' && !/[*?]/.test(pattern)) return literalMatcher(pattern);
  const [start, end] = EDGES[mode];
  const parts = pattern.split(/\*+/);
  const stretches = parts.map((part, i) => {
    const source = part.split('?').map(escapeLiteral).join('[^]');
    return new RegExp(
      `${i === 0 ? start : ''}${source}${i === parts.length - 1 ? end : ''}`,
      'giu',
    );
  });
  return (text) => matchInOrder(text.slice(0, MAX_SEARCHED_LENGTH), stretches);
}

/** The leftmost place of each stretch leaves the most room for the rest, so it is the only one to try. */
function matchInOrder(text: string, stretches: readonly RegExp[]): boolean {
  let position = 0;
  for (const stretch of stretches) {
    stretch.lastIndex = position;
    if (!stretch.test(text)) return false;
    position = stretch.lastIndex;
  }
  return true;
}

function literalMatcher(pattern: string): GlobMatcher {
  const lower = pattern.toLowerCase();
  // Beyond ASCII the lower case may be longer or shorter.
  const isPlain = /^[ -~]*$/.test(pattern);
  return (text) =>
    text === pattern ||
    ((!isPlain || text.length === pattern.length) && text.toLowerCase() === lower);
}

function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
