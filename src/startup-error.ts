// Why the server cannot start, where the remedy lies with whoever starts it: told in one line, exit status 2.

export class StartupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartupError';
  }
}
