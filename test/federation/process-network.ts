// As network.ts, with servers that are processes of their own and are really killed. They have the real clock.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { register, type TestClient } from '../client.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { TEST_CA } from '../tls/fixtures.ts';
import { type Entrance, openEntrance } from './entrance.ts';
import { Links } from './link.ts';
import { type Network, type NetworkServer, networkOf } from './network.ts';
import {
  EVENTS_OF_ROOM,
  EXTREMITIES_OF_ROOM,
  extremitiesOf,
  type StoredRoom,
  type StoredRow,
} from './stored-room.ts';

export interface ProcessNetworkOptions {
  readonly servers: number;
  readonly seed: number;
  readonly roomVersion?: string;
  /** Keys of the configuration that differ. */
  readonly config?: Record<string, unknown>;
}

export interface ProcessServer extends NetworkServer {
  readonly folder: string;
  output(): string;
}

export async function startProcessNetwork(
  options: ProcessNetworkOptions,
): Promise<Network<ProcessServer>> {
  const links = new Links(options.seed);
  const servers: RunningServer[] = [];
  try {
    for (let index = 0; index < options.servers; index += 1) {
      const entrance = await openEntrance(links);
      const process = await startServer((port) => ({
        ...configOf(entrance.serverName, port),
        ...options.config,
      }));
      servers.push(new RunningServer(entrance, process));
    }
  } catch (error) {
    for (const server of servers) await server.remove();
    throw error;
  }
  return networkOf(servers, links);
}

function configOf(serverName: string, port: number): Record<string, unknown> {
  return {
    server_name: serverName,
    listeners: [{ host: '127.0.0.1', port }],
    outbound: { trusted_ca_path: TEST_CA, denied_networks: [] },
    log_level: 'warn',
  };
}

class RunningServer implements ProcessServer {
  readonly name: string;
  readonly #entrance: Entrance;
  readonly #process: ServerProcess;

  constructor(entrance: Entrance, process: ServerProcess) {
    this.name = entrance.serverName;
    this.#entrance = entrance;
    this.#process = process;
    this.#open();
  }

  get baseUrl(): string {
    return this.#process.baseUrl;
  }

  get folder(): string {
    return this.#process.folder;
  }

  output(): string {
    return this.#process.output();
  }

  user(localpart: string): Promise<TestClient> {
    return register(this.baseUrl, localpart);
  }

  async stored(roomId: string): Promise<StoredRoom> {
    const database = new DatabaseSync(join(this.folder, 'keyhole.db'), { readOnly: true });
    try {
      const events = database.prepare(EVENTS_OF_ROOM).all(roomId) as unknown as StoredRow[];
      const room = database.prepare(EXTREMITIES_OF_ROOM).get(roomId);
      return { events, extremities: extremitiesOf(room?.extremities as string | undefined) };
    } finally {
      database.close();
    }
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    this.#entrance.leadTo(undefined);
  }

  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL');
    this.#entrance.leadTo(undefined);
  }

  async start(): Promise<void> {
    await this.#process.restart();
    this.#open();
  }

  async remove(): Promise<void> {
    await this.#process.remove();
    await this.#entrance.close();
  }

  #open(): void {
    this.#entrance.leadTo(Number(new URL(this.baseUrl).port));
  }
}
