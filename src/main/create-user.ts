// `keyhole user create`: an account made by who has the data, without the server running.

import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { systemClock } from '../clock.ts';
import { compose } from '../compose.ts';
import { loadConfig } from '../config/config.ts';
import { createLogger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';
import { StartupError } from '../startup-error.ts';

export interface CreateUserCommand {
  readonly config: string | undefined;
  readonly localpart: string;
  readonly isAdmin: boolean;
  readonly passwordFromStdin: boolean;
}

export async function createUser(command: CreateUserCommand): Promise<number> {
  const loaded = loadConfig(command.config).config;
  // Nothing is listened to: who makes accounts need not be able to read certificates.
  const config = { ...loaded, listeners: [] };
  const given = command.passwordFromStdin ? await firstLine() : undefined;
  const password = given ?? randomBytes(12).toString('base64url');
  const keyhole = await compose({ config, logger: createLogger('warn'), clock: systemClock });
  try {
    const { localpart, isAdmin } = command;
    const userId = await keyhole.createUser({ localpart, password, isAdmin });
    process.stdout.write(`${userId}\n${given === undefined ? `password: ${password}\n` : ''}`);
    return 0;
  } catch (error) {
    if (error instanceof MatrixError) throw new StartupError(`${error.errcode}: ${error.message}`);
    throw error;
  } finally {
    await keyhole.close();
  }
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== '') return line;
    break;
  }
  throw new StartupError('--password-stdin: there is no password on standard input');
}
