// The only file that knows every component: wires them together from the configuration.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import type { Config, DatabaseConfig } from './config/config.ts';
import { readListeners } from './config/listener-files.ts';
import { lockDataFolder } from './database/data-lock.ts';
import { createRateLimits, noRateLimits } from './http/rate-limit.ts';
import { route } from './http/route.ts';
import { createHttpServer } from './http/server.ts';
import type { Logger } from './logger.ts';
import { MatrixError } from './protocol/error.ts';
import type { UserId } from './protocol/identifiers.ts';
import { loadSigningKey } from './signing-key-file.ts';
import { StartupError } from './startup-error.ts';

export interface ComposeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface NewUser {
  readonly localpart: string;
  readonly password: string;
  readonly isAdmin: boolean;
}

export interface Keyhole {
  /** Opens the listeners; resolves with their ports, in order. Throws ListenError. */
  listen(): Promise<readonly number[]>;
  close(): Promise<void>;
  createUser(user: NewUser): Promise<UserId>;
}

const getVersions = route({
  operationId: 'getVersions',
  method: 'GET',
  paths: ['/_matrix/client/versions'],
  auth: 'none',
  handler: async () => ({ versions: [] }),
});

export async function compose({ config, logger, clock }: ComposeOptions): Promise<Keyhole> {
  const unlock = lockData(config.database);
  loadSigningKey(config.signingKeyPath);
  const server = await createHttpServer({
    listeners: readListeners(config.listeners),
    routes: [getVersions],
    authenticate: () => Promise.reject(new MatrixError('M_UNKNOWN_TOKEN', 'Unknown access token')),
    rateLimits: config.rateLimits.enabled
      ? createRateLimits(config.rateLimits, clock)
      : noRateLimits,
    logger,
    clock,
    closeGraceMs: config.limits.shutdownGraceMs,
  });
  return {
    listen: () => server.listen(),
    close: async () => {
      await server.close();
      unlock();
    },
    createUser: () => Promise.reject(new Error('accounts are not wired up yet')),
  };
}

/** PostgreSQL keeps other processes off by itself. */
function lockData(database: DatabaseConfig): () => void {
  if (database.engine !== 'sqlite') return () => {};
  const folder = dirname(database.path);
  try {
    mkdirSync(folder, { recursive: true });
    return lockDataFolder(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`database.path: ${reason}`, { cause: error });
  }
}
