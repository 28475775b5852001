// Why the configuration was refused: one line that names file, line, key and remedy.

export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
