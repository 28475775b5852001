// A userserver on a database of its own, for tests.

import { type Backend, forEachBackend } from '../../test/contracts/backends.ts';
import { ManualClock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { openEmbeddedLog } from '../eventlog/embedded.ts';
import type { EventLog, LogEntry } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import { silentLogger } from '../logger.ts';
import type { DeviceId, RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { Session, UserserverApi } from './api.ts';
import { createUserserver } from './userserver.ts';

export { forEachBackend };

export const SERVER = 'test.example' as ServerName;
export const PASSWORD = 'correct horse';
export const ROOM = '!room:test.example' as RoomId;

export interface Harness {
  readonly api: UserserverApi;
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: ManualClock;
  /** Registers `@name:test.example` with PASSWORD and signs in. */
  register(name: string, options?: RegisterOptions): Promise<Session>;
  login(userId: UserId, deviceId?: string): Promise<Session>;
  /** All entries of `userserver.output` so far. */
  entries(): Promise<LogEntry<'userserver.output'>[]>;
  /** Closes the userserver and opens it again on the same database. */
  restart(): Promise<Harness>;
}

export interface RegisterOptions {
  readonly deviceId?: string;
  readonly refreshable?: boolean;
}

export interface HarnessOptions {
  readonly beforeCommit?: () => Promise<void>;
  readonly clock?: ManualClock;
  /** Other servers. */
  readonly federation?: Pick<FederationClient, 'request'>;
}

export async function openHarness(
  backend: Backend,
  options: HarnessOptions = {},
): Promise<Harness> {
  const { clock = new ManualClock(), beforeCommit, federation } = options;
  const database = await backend.open(beforeCommit && { beforeCommit });
  const logger = silentLogger;
  const eventLog = await openEmbeddedLog({ database, clock, logger });
  const config = { passwordHash: { fastForTests: true } };
  const parts = {
    database,
    eventLog,
    clock,
    logger,
    serverName: SERVER,
    config,
    ...(federation && { federation }),
  };
  const { api, close } = await createUserserver(parts);
  const seen: LogEntry<'userserver.output'>[] = [];
  const subscription = eventLog.consume({
    name: 'test',
    topic: 'userserver.output',
    database,
    apply: async (tx, entries) => tx.afterCommit(() => void seen.push(...entries)),
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await close();
    await subscription.close();
    await eventLog.close();
  };
  backend.closeFirst(stop);
  return {
    api,
    database,
    eventLog,
    clock,
    register: async (name, { deviceId, refreshable = false } = {}) => {
      const device = { refreshable, ...(deviceId && { deviceId: deviceId as DeviceId }) };
      const request = { localpart: name, password: PASSWORD, inhibitLogin: false, device };
      return (await api.performRegister(request)) as Session;
    },
    login: (userId, deviceId) => {
      const device = { refreshable: false, ...(deviceId && { deviceId: deviceId as DeviceId }) };
      return api.performPasswordLogin({ userId, password: PASSWORD, device });
    },
    entries: async () => {
      await subscription.reached(await eventLog.head('userserver.output'), 5000);
      return [...seen];
    },
    restart: async () => {
      await stop();
      await database.close();
      return openHarness(backend, { ...options, clock });
    },
  };
}

/** For `assert.rejects`. */
export function refusal(errcode: string): { readonly name: string; readonly errcode: string } {
  return { name: 'MatrixError', errcode };
}
