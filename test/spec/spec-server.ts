// A server in this process, on a port of its own, with everything open that the examples need.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/config.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import type { RoomId } from '../../src/protocol/identifiers.ts';
import { createSchema } from '../contracts/backends.ts';

export const SHARED_SECRET = 'the secret of the examples';

export interface SpecServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly serverName: string;
  /** What was logged as a warning or an error: a request must not cause either. */
  readonly complaints: readonly object[];
  /** Resolves once clients know no more of the room. */
  purge(roomId: string): Promise<void>;
  close(): Promise<void>;
}

/** `postgresUrl`: of a PostgreSQL in which a schema is made for the server; absent: SQLite. */
export async function startSpecServer(postgresUrl?: string): Promise<SpecServer> {
  const folder = await mkdtemp(join(tmpdir(), 'keyhole-spec-'));
  const schema = postgresUrl === undefined ? undefined : await createSchema(postgresUrl);
  const complaints: object[] = [];
  const serverName = 'keyhole.test';
  const text = JSON.stringify({
    server_name: serverName,
    public_baseurl: 'https://keyhole.test',
    policy_server_public_key: '6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s',
    signing_key_path: join(folder, 'signing.key'),
    media_path: join(folder, 'media'),
    listeners: [{ port: 0 }],
    database: schema === undefined ? { path: join(folder, 'db') } : postgres(schema.url),
    registration: { enabled: true, allow_guests: true, shared_secret: SHARED_SECRET },
    rate_limits: { enabled: false },
    password_hash: { fast_for_tests: true },
    media: { allow_unauthenticated: true },
    room_directory: { public_without_auth: true },
    limits: { max_upload_bytes: 1_000_000 },
  });
  const { config } = parseConfig(text, 'the examples');
  const keyhole = await compose({ config, logger: complaining(complaints), clock: systemClock });
  const [port] = await keyhole.listen();
  return {
    url: `http://127.0.0.1:${port}`,
    serverName,
    complaints,
    async purge(roomId) {
      const { roomserver, syncserver } = keyhole.components;
      const { position } = await roomserver.api.performPurge({ roomId: roomId as RoomId });
      await syncserver.api.waitForPositions({ rooms: position });
    },
    async close() {
      await keyhole.close();
      await schema?.remove();
      await rm(folder, { recursive: true });
    },
  };
}

function postgres(url: string): object {
  return { engine: 'postgres', url, pool_size: 4 };
}

function complaining(complaints: object[]): Logger {
  const record = (fields: object, message: string) => void complaints.push({ ...fields, message });
  const logger: Logger = { ...silentLogger, warn: record, error: record, child: () => logger };
  return logger;
}
