// When and from where devices were last seen: collected in memory, written once a minute in one go.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import { isStorableText } from '../protocol/json-checks.ts';
import { type SeenRow, updateLastSeen } from './store/devices.ts';

const WRITE_INTERVAL_MS = 60_000;
/** Devices per transaction: bulk writes must not hold others up. */
const CHUNK = 200;
/** Beyond this, devices are not noted until the next write. */
const MAX_PENDING = 100_000;
const MAX_USER_AGENT_LENGTH = 256;

export interface SeenDevice {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly ip: string;
  readonly userAgent: string;
}

export class LastSeen {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #pending = new Map<string, SeenRow>();
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: { database: Database; clock: Clock; logger: Logger }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  note({ userId, deviceId, ip, userAgent }: SeenDevice): void {
    const key = `${userId} ${deviceId}`;
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(key)) return;
    const row = { user_id: userId, device_id: deviceId, ts: this.#clock.now(), ip };
    this.#pending.set(key, { ...row, user_agent: userAgent });
    this.#cancel ??= this.#clock.schedule(WRITE_INTERVAL_MS, () => this.#write());
  }

  /** Of the device, when it is not written yet. */
  peek(userId: UserId, deviceId: DeviceId): SeenRow | undefined {
    return this.#pending.get(`${userId} ${deviceId}`);
  }

  /** Writes what has been noted. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#write();
    await this.#writing;
  }

  #write(): void {
    const seen = [...this.#pending.values()].map(storable);
    this.#pending = new Map();
    this.#cancel = undefined;
    this.#writing = this.#writing.then(() => this.#writeAll(seen));
  }

  async #writeAll(seen: readonly SeenRow[]): Promise<void> {
    try {
      for (let start = 0; start < seen.length; start += CHUNK) {
        const chunk = seen.slice(start, start + CHUNK);
        await this.#database.transact((tx) => updateLastSeen(tx, chunk));
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'could not write when devices were last seen');
    }
  }
}

function storable(row: SeenRow): SeenRow {
  const userAgent = row.user_agent.slice(0, MAX_USER_AGENT_LENGTH).toWellFormed();
  return { ...row, user_agent: isStorableText(userAgent) ? userAgent : '' };
}
