// Paths of routes: brace alternatives, parameter names, and which methods a path is known under.

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** `/_matrix/client/{r0,v3}/x{,/}` → four paths. Alternatives do not nest. */
export function expandPath(path: string): readonly string[] {
  const match = /^([^{]*)\{([^{}]*)\}(.*)$/s.exec(path);
  if (match === null) return [path];
  const [, before = '', alternatives = '', after = ''] = match;
  return alternatives.split(',').flatMap((one) => expandPath(`${before}${one}${after}`));
}

export function parameterNames(path: string): readonly string[] {
  return path
    .split('/')
    .filter((segment) => segment.startsWith(':'))
    .map((segment) => segment.slice(1));
}

export interface KnownPath {
  readonly method: Method;
  /** Expanded. */
  readonly path: string;
}

/** Tells a wrong method (405) from an unknown path (404); asked only where routing has failed. */
export function createMethodTable(
  known: readonly KnownPath[],
): (path: string) => readonly Method[] {
  const bySize = new Map<number, { method: Method; segments: readonly string[] }[]>();
  for (const { method, path } of known) {
    const segments = path.split('/');
    const sameSize = bySize.get(segments.length) ?? [];
    sameSize.push({ method, segments });
    bySize.set(segments.length, sameSize);
  }
  return (path) => {
    const segments = path.split('/');
    const candidates = bySize.get(segments.length) ?? [];
    const matching = candidates.filter((candidate) => isMatch(candidate.segments, segments));
    return [...new Set(matching.map((candidate) => candidate.method))];
  };
}

function isMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.every((part, index) => part.startsWith(':') || part === segments[index]);
}
