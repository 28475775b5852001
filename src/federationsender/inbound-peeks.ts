// Other servers' looks into our rooms: how many there may be, and the end of those that nobody renews.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';
import type { InboundPeekKey } from './peek-api.ts';
import { selectDestinationIds } from './store/destinations.ts';
import { expirePeeksBefore } from './store/expired-peeks.ts';
import {
  countPeekedRooms,
  countPeekingServers,
  selectFirstInboundExpiry,
  selectInboundPeek,
} from './store/inbound-peeks.ts';

const RETRY_MS = 30_000;

export interface InboundPeekOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: InboundPeekLimits;
  /** Destinations have something to be told. */
  readonly onExpired: (destinationIds: readonly number[]) => void;
}

export interface InboundPeekLimits {
  /** Rooms that one server may look into. */
  readonly maxPerServer: number;
  /** Servers that may look into one room. */
  readonly maxPerRoom: number;
}

export class InboundPeeks {
  readonly #options: InboundPeekOptions;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: InboundPeekOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#arm();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#work;
  }

  /** After COMMIT: one ends then unless it is renewed. */
  expireAt(at: number): void {
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const cancel = clock.schedule(Math.max(at - clock.now(), 0), () => {
      this.#timer = undefined;
      this.#work = this.#work.then(() => this.#expire());
    });
    this.#timer = { at, cancel };
  }

  async isActive({ server, roomId, peekId }: InboundPeekKey): Promise<boolean> {
    const { database, clock } = this.#options;
    const destinationId = (await selectDestinationIds(database, [server])).get(server);
    if (destinationId === undefined) return false;
    return selectInboundPeek(database, { destinationId, roomId, peekId }, clock.now());
  }

  /** Throws M_LIMIT_EXCEEDED. One that there is already is no further one. */
  async checkLimits(key: InboundPeekKey): Promise<void> {
    if (await this.isActive(key)) return;
    const { database, limits } = this.#options;
    const destinationId = (await selectDestinationIds(database, [key.server])).get(key.server);
    const rooms = destinationId === undefined ? 0 : await countPeekedRooms(database, destinationId);
    if (rooms >= limits.maxPerServer) throw this.#tooMany('Your server looks into too many rooms');
    if ((await countPeekingServers(database, key.roomId)) >= limits.maxPerRoom) {
      throw this.#tooMany('Too many servers look into this room');
    }
  }

  #tooMany(message: string): MatrixError {
    return new MatrixError('M_LIMIT_EXCEEDED', message, { retry_after_ms: RETRY_MS });
  }

  async #expire(): Promise<void> {
    const { database, clock, logger, onExpired } = this.#options;
    try {
      onExpired(await database.transact((tx) => expirePeeksBefore(tx, clock.now())));
      await this.#arm();
    } catch (error) {
      logger.warn({ err: error }, 'peeks of other servers that are over could not be ended');
      this.expireAt(clock.now() + RETRY_MS);
    }
  }

  async #arm(): Promise<void> {
    const first = await selectFirstInboundExpiry(this.#options.database);
    if (first !== undefined) this.expireAt(first);
  }
}
