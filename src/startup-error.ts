// Why the server cannot start, where the remedy lies with whoever starts it: told in one line, exit status 2.

export class StartupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupError';
  }
}

/** What went wrong with a file or folder, and what to do about it where the system's own words do not say. */
export function explainFileError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const remedy = REMEDIES[(error as NodeJS.ErrnoException).code ?? ''];
  return remedy === undefined ? error.message : `${error.message}: ${remedy}`;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: 'the user that Keyhole runs as must have access to it',
  EPERM: 'the user that Keyhole runs as must have access to it',
  EROFS: 'name a place that can be written',
};
