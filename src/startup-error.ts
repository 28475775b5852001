// Why the server cannot start, where the remedy lies with whoever starts it: told in one line, exit status 2.

export class StartupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupError';
  }
}

/** What the system refused, and what to do about it where its own words do not say. */
export function explainSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const remedy = REMEDIES[codeOf(error)];
  return remedy === undefined ? error.message : `${error.message}: ${remedy}`;
}

/** Of the error itself or of what has caused it. SQLite does not tell who was denied a file, but in numbers. */
function codeOf(error: Error): string {
  const { code, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'ERR_SQLITE_ERROR') return SQLITE_DENIED.includes(errcode & 0xff) ? 'EACCES' : code;
  if (code === undefined && error.cause instanceof Error) return codeOf(error.cause);
  return code ?? '';
}

/** SQLITE_PERM, SQLITE_READONLY and SQLITE_CANTOPEN. */
const SQLITE_DENIED = [3, 8, 14];

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'the user that Keyhole runs as must have access to it',
  EPERM: 'the user that Keyhole runs as must have access to it',
  EROFS: 'name a place that can be written',
  ECONNREFUSED: 'nothing listens there',
};
