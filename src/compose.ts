// The only file that knows every component: opens what they stand on and wires them together.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createClientapi } from './clientapi/clientapi.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config/config.ts';
import { readListeners } from './config/listener-files.ts';
import { readTrustedCa } from './config/trusted-ca.ts';
import { lockDataFolder } from './database/data-lock.ts';
import { type Database, DatabaseError } from './database/database.ts';
import { type Reading, readSqlite } from './database/reading.ts';
import { openSqlite } from './database/sqlite.ts';
import { openEmbeddedLog } from './eventlog/embedded.ts';
import type { EventLog, ParkedKey } from './eventlog/eventlog.ts';
import type { FederationClient, KeyRing } from './federation/api.ts';
import { createFederationClient } from './federation/client.ts';
import { createKeyRing } from './federation/key-ring.ts';
import type { NameResolver } from './federation/name-resolver.ts';
import { createFederationapi } from './federationapi/federationapi.ts';
import {
  createFederationsender,
  type Federationsender,
  listPeeks,
} from './federationsender/federationsender.ts';
import { createRateLimits, noRateLimits } from './http/rate-limit.ts';
import { createHttpServer } from './http/server.ts';
import type { Logger } from './logger.ts';
import { createMediaserver, type Mediaserver } from './mediaserver/mediaserver.ts';
import type { UserId } from './protocol/identifiers.ts';
import type { SigningKey } from './protocol/signing-key.ts';
import { createRoomserver, type Roomserver } from './roomserver/roomserver.ts';
import { loadSigningKey } from './signing-key-file.ts';
import { explainSystemError, StartupError } from './startup-error.ts';
import { countLookers, createSyncserver, type Syncserver } from './syncserver/syncserver.ts';
import { createUserserver, type Userserver } from './userserver/userserver.ts';
import { readVersion } from './version.ts';

export interface ComposeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  /** For tests: awaited before every COMMIT, which fails when this does. */
  readonly beforeCommit?: () => Promise<void>;
  /** For tests, on SQLite: awaited before a COMMIT is made durable, which fails when this does. */
  readonly beforeSync?: () => Promise<void>;
  /** For tests: of what goes over the network, which takes real time otherwise. */
  readonly timers?: Clock;
  /** For tests: addresses of other servers. */
  readonly resolver?: NameResolver;
}

export interface NewUser {
  readonly localpart: string;
  readonly password: string;
  readonly isAdmin: boolean;
}

export interface Keyhole {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly components: Components;
  /** Opens the listeners; resolves with their ports, in order. Throws ListenError. */
  listen(): Promise<readonly number[]>;
  /** Stops accepting, finishes what is in flight, then closes components, log and database. */
  close(): Promise<void>;
  createUser(user: NewUser): Promise<UserId>;
}

export interface Components {
  readonly userserver: Userserver;
  readonly mediaserver: Mediaserver;
  readonly federationsender: Federationsender;
  readonly roomserver: Roomserver;
  readonly syncserver: Syncserver;
}

interface Foundation extends ComposeOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly signingKey: SigningKey;
  readonly federation: FederationClient;
  readonly keyRing: KeyRing;
  /** What has been opened so far, to be closed in reverse order. */
  readonly opened: Closing;
}

type Closing = (() => Promise<void> | void)[];

/** Throws StartupError where the remedy lies with the operator. */
export async function compose(options: ComposeOptions): Promise<Keyhole> {
  const opened: Closing = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    const foundation = await openFoundation(options, opened);
    const components = await createComponents(foundation);
    const server = await createServer(foundation, components);
    opened.push(() => server.close());
    const { database, eventLog } = foundation;
    const createUser = (user: NewUser) => register(components, user);
    return { database, eventLog, components, listen: () => server.listen(), close, createUser };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What no consumer could apply. Nothing is consumed meanwhile. Throws StartupError. */
export async function readParkedKeys(options: ComposeOptions): Promise<ParkedKey[]> {
  const opened: Closing = [];
  try {
    const { eventLog } = await openFoundation(options, opened);
    return await eventLog.parked();
  } finally {
    for (const end of opened.reverse()) await end();
  }
}

export type PeekListing = Awaited<ReturnType<typeof listPeeks>>[number] & {
  /** Of ours, that look into the room. */
  readonly devices: number;
};

/** Looks across servers, read beside a server that runs. Throws StartupError where there is nothing to be read. */
export async function readPeeks({
  config,
  clock,
}: Pick<ComposeOptions, 'config' | 'clock'>): Promise<PeekListing[]> {
  let reading: Reading | undefined;
  try {
    reading = await openReading(config);
    const peeks = await listPeeks(reading, clock.now());
    const lookers = await countLookers(reading, clock.now());
    return peeks.map((peek) => ({ ...peek, devices: lookers.get(peek.roomId) ?? 0 }));
  } catch (cause) {
    if (!(cause instanceof DatabaseError)) throw cause;
    const remedy = 'has this version of Keyhole been started with this configuration?';
    throw new StartupError(`the database cannot be read (${cause.message}): ${remedy}`, { cause });
  } finally {
    await reading?.close();
  }
}

async function openReading({ database }: Config): Promise<Reading> {
  if (database.engine === 'sqlite') return readSqlite(database.path);
  const { readPostgres } = await import('./database/postgres.ts');
  return readPostgres(database.url);
}

async function openFoundation(options: ComposeOptions, opened: Closing): Promise<Foundation> {
  const { config, clock, logger } = options;
  const database = await openDatabase(options, opened);
  opened.push(() => database.close());
  const signingKey = loadSigningKey(config.signingKeyPath);
  const { logRetentionMs: retentionMs } = config.limits;
  const eventLog = await openEmbeddedLog({ database, clock, logger, retentionMs });
  opened.push(() => eventLog.close());
  const { federation, keyRing } = await openFederation({ ...options, database, signingKey });
  opened.push(() => federation.close());
  return { ...options, database, signingKey, eventLog, federation, keyRing, opened };
}

async function openFederation(
  parts: ComposeOptions & Pick<Foundation, 'database' | 'signingKey'>,
): Promise<Pick<Foundation, 'federation' | 'keyRing'>> {
  const { serverName, outbound, oldVerifyKeys } = parts.config;
  const logger = parts.logger.child({ component: 'federation' });
  const federation = createFederationClient({
    ...{ ...parts, serverName, logger },
    config: {
      deniedNetworks: outbound.deniedNetworks,
      trustedCa: readTrustedCa(outbound.trustedCaPath),
      userAgent: `Keyhole/${readVersion()}`,
    },
  });
  const ring = { ...parts, serverName, logger, oldVerifyKeys, client: federation };
  const keyRing = await createKeyRing(ring);
  return { federation, keyRing };
}

async function openDatabase(options: ComposeOptions, opened: Closing): Promise<Database> {
  try {
    return await openEngine(options, opened);
  } catch (cause) {
    const key = options.config.database.engine === 'postgres' ? 'database.url' : 'database.path';
    throw new StartupError(`${key}: ${explainSystemError(cause)}`, { cause });
  }
}

async function openEngine(options: ComposeOptions, opened: Closing): Promise<Database> {
  const { config, clock, beforeCommit, beforeSync } = options;
  const common = { clock, ...(beforeCommit && { beforeCommit }) };
  if (config.database.engine === 'postgres') {
    // Only who uses PostgreSQL pays for its driver's memory.
    const { openPostgres } = await import('./database/postgres.ts');
    return openPostgres({ ...common, ...config.database });
  }
  const { path } = config.database;
  mkdirSync(dirname(path), { recursive: true });
  opened.push(lockDataFolder(dirname(path)));
  return openSqlite({ ...common, path, ...(beforeSync && { beforeSync }) });
}

async function createComponents(foundation: Foundation): Promise<Components> {
  const { config, signingKey, federation, keyRing, opened } = foundation;
  const { limits, peeking, passwordHash, mediaPath, defaultRoomVersion } = config;
  const { maxUploadBytes, ...accountLimits } = limits;
  const userserver = await createUserserver({
    ...partsFor(foundation, 'userserver'),
    federation,
    config: { passwordHash, ...accountLimits },
  });
  opened.push(() => userserver.close());
  const mediaserver = await createMediaserver({
    ...partsFor(foundation, 'mediaserver'),
    federation,
    config: { mediaPath, maxUploadBytes, maxRemoteBytes: config.media.maxRemoteBytes },
  });
  opened.push(() => mediaserver.close());
  const federationsender = await createFederationsender({
    ...partsFor(foundation, 'federationsender'),
    client: federation,
    peekLimits: {
      maxPerServer: peeking.maxInboundPerServer,
      maxPerRoom: peeking.maxInboundPerRoom,
    },
  });
  opened.push(() => federationsender.close());
  const roomserver = await createRoomserver({
    ...partsFor(foundation, 'roomserver'),
    signingKey,
    federation,
    federationsender: federationsender.api,
    keyRing,
    config: { defaultRoomVersion, peeking },
  });
  opened.push(() => roomserver.close());
  const syncserver = await createSyncserver({
    ...partsFor(foundation, 'syncserver'),
    roomserver: roomserver.api,
    userserver: userserver.api,
    config: { peeking },
  });
  opened.push(() => syncserver.close());
  return { userserver, mediaserver, federationsender, roomserver, syncserver };
}

function partsFor({ config, database, eventLog, clock, logger }: Foundation, component: string) {
  const { serverName } = config;
  return { database, eventLog, clock, serverName, logger: logger.child({ component }) };
}

async function createServer(foundation: Foundation, components: Components) {
  const { config, clock, logger, signingKey, keyRing, eventLog, database } = foundation;
  const { serverName, registration, publicBaseurl, defaultRoomVersion, policyServerPublicKey } =
    config;
  const clientapi = createClientapi({
    roomserver: components.roomserver.api,
    syncserver: components.syncserver.api,
    userserver: components.userserver.api,
    mediaserver: components.mediaserver.api,
    eventLog,
    database,
    clock,
    serverName,
    config: {
      publicBaseurl,
      ...(policyServerPublicKey !== undefined && { policyServerPublicKey }),
      registration,
      defaultRoomVersion,
      publicRoomsWithoutAuth: config.roomDirectory.publicWithoutAuth,
      unauthenticatedMedia: config.media.allowUnauthenticated,
      maxUploadBytes: config.limits.maxUploadBytes,
    },
  });
  const federationapi = await createFederationapi({
    ...partsFor(foundation, 'federationapi'),
    roomserver: components.roomserver.api,
    userserver: components.userserver.api,
    mediaserver: components.mediaserver.api,
    federationsender: components.federationsender.api,
    keyRing,
    signingKey,
    config: {
      federationAddress: config.federationAddress,
      publicRoomsOverFederation: config.roomDirectory.publicOverFederation,
      oldVerifyKeys: config.oldVerifyKeys,
      peeking: config.peeking,
    },
    version: readVersion(),
  });
  return createHttpServer({
    listeners: readListeners(config.listeners),
    routes: [...clientapi.routes, ...federationapi.routes],
    authenticate: clientapi.authenticate,
    authenticateServer: federationapi.authenticateServer,
    rateLimits: config.rateLimits.enabled
      ? createRateLimits(config.rateLimits, clock)
      : noRateLimits,
    logger,
    clock,
    maxConnections: config.limits.maxConnections,
    closeGraceMs: config.limits.shutdownGraceMs,
  });
}

async function register({ userserver }: Components, user: NewUser): Promise<UserId> {
  const device = { refreshable: false };
  const { userId } = await userserver.api.performRegister({ ...user, inhibitLogin: true, device });
  return userId;
}
