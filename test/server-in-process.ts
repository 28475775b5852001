// Keyhole composed in the test's own process, with a clock that the test moves. For tests that need hours to
// pass, a COMMIT to be held back, or to know that a device waits.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ManualClock } from '../src/clock.ts';
import { compose, type Keyhole } from '../src/compose.ts';
import { parseConfig } from '../src/config/config.ts';
import { silentLogger } from '../src/logger.ts';
import type { DeviceId, RoomId, UserId } from '../src/protocol/identifiers.ts';
import type { TestClient } from './client.ts';
import { createSchema } from './contracts/backends.ts';
import { until } from './until.ts';

export interface InProcessServer {
  readonly baseUrl: string;
  readonly clock: ManualClock;
  readonly keyhole: Keyhole;
  /** Resolves once the log has been consumed as far as it goes now. */
  settled(): Promise<void>;
  /** Resolves once a long poll of the user waits. */
  untilWaiting(client: TestClient): Promise<void>;
  isPeeking(client: TestClient, roomId: string): Promise<boolean>;
  /** Closes and starts again on the same data; `baseUrl` changes. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface InProcessOptions {
  /** Keys of the configuration that differ from those of a small local server with open registration. */
  readonly config?: Record<string, unknown>;
  readonly beforeCommit?: () => Promise<void>;
  /** On SQLite. */
  readonly beforeSync?: () => Promise<void>;
  /** Of a PostgreSQL in which a schema is made for the server; absent: SQLite. */
  readonly postgresUrl?: string | undefined;
}

export async function startInProcess(options: InProcessOptions = {}): Promise<InProcessServer> {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-test-'));
  const clock = new ManualClock();
  const { beforeCommit, beforeSync, postgresUrl } = options;
  const schema = postgresUrl === undefined ? undefined : await createSchema(postgresUrl);
  const database = schema && { engine: 'postgres', url: schema.url, pool_size: 4 };
  const different = { ...(database && { database }), ...options.config };
  const { config } = parseConfig(configText(folder, different), 'the test');
  const start = async () => {
    const started = await compose({
      config,
      logger: silentLogger,
      clock,
      ...(beforeCommit && { beforeCommit }),
      ...(beforeSync && { beforeSync }),
    });
    const [port] = await started.listen();
    return { started, port };
  };
  let { started, port } = await start();
  return {
    get baseUrl() {
      return `http://127.0.0.1:${port}`;
    },
    clock,
    get keyhole() {
      return started;
    },
    settled: () => settled(started),
    untilWaiting: (client) => untilWaiting(started, client),
    isPeeking: async (client, roomId) => {
      const { active } = await started.components.syncserver.api.queryPeek({
        userId: client.userId as UserId,
        deviceId: client.deviceId as DeviceId,
        roomId: roomId as RoomId,
        via: 'sync',
      });
      return active;
    },
    restart: async () => {
      await started.close();
      ({ started, port } = await start());
    },
    close: async () => {
      await started.close();
      await schema?.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of a small server with open registration on SQLite, but for the keys given; all it has lies in the folder. */
export function configText(folder: string, config: Record<string, unknown> = {}): string {
  return stringify({
    server_name: 'localhost',
    public_baseurl: 'http://localhost',
    signing_key_path: join(folder, 'signing.key'),
    media_path: join(folder, 'media'),
    listeners: [{ host: '127.0.0.1', port: 0 }],
    database: { engine: 'sqlite', path: join(folder, 'keyhole.db') },
    registration: { enabled: true, allow_guests: true },
    rate_limits: { enabled: false },
    password_hash: { fast_for_tests: true },
    ...config,
  });
}

async function settled({ eventLog, components }: Keyhole): Promise<void> {
  const [rooms, users] = await Promise.all([
    eventLog.head('roomserver.output'),
    eventLog.head('userserver.output'),
  ]);
  await components.syncserver.api.waitForPositions({ rooms, users });
}

async function untilWaiting({ components }: Keyhole, client: TestClient): Promise<void> {
  const { isWaiting } = components.syncserver;
  await until(() => isWaiting(client.userId as UserId), `a long poll of ${client.userId}`);
}
