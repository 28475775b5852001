// Why the configuration was refused: one line that names file, line, key and remedy.

import { StartupError } from '../startup-error.ts';

export class ConfigError extends StartupError {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
