// Other servers' looks into our rooms: how many there may be, and the end of those that nobody renews.

import { Alarm } from '../alarm.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';
import type { InboundPeekKey } from './peek-api.ts';
import { selectDestinationIds } from './store/destinations.ts';
import { expirePeeksBefore } from './store/expired-peeks.ts';
import {
  countOtherPeekingServers,
  countPeekedRooms,
  selectFirstInboundExpiry,
  selectInboundPeek,
} from './store/inbound-peeks.ts';

/** No destination's id. */
const UNKNOWN = -1;
const RETRY_MS = 30_000;
/** How long one that has been let in counts before its row is there, ms: it may have been refused elsewhere. */
const ARRIVING_MS = 10_000;

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
  readonly #alarm: Alarm;
  #work: Promise<void> = Promise.resolve();
  /** Let in, and maybe not stored yet: until when they count, by server, room and id. */
  readonly #arriving = new Map<string, InboundPeekKey & { readonly until: number }>();

  constructor(options: InboundPeekOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => {
      this.#work = this.#work.then(() => this.#expire());
    });
  }

  async open(): Promise<void> {
    await this.#arm();
  }

  async close(): Promise<void> {
    this.#alarm.close();
    await this.#work;
  }

  /** After COMMIT: one ends then unless it is renewed. */
  expireAt(at: number): void {
    this.#alarm.set(at);
  }

  async isActive({ server, roomId, peekId }: InboundPeekKey): Promise<boolean> {
    const { database, clock } = this.#options;
    const destinationId = (await selectDestinationIds(database, [server])).get(server);
    if (destinationId === undefined) return false;
    return selectInboundPeek(database, { destinationId, roomId, peekId }, clock.now());
  }

  /** After COMMIT: its row is there. */
  arrived(key: InboundPeekKey): void {
    this.#arriving.delete(nameOf(key));
  }

  /** Throws M_LIMIT_EXCEEDED. One that there is already is no further one. */
  async checkLimits(key: InboundPeekKey): Promise<void> {
    const { server, roomId } = key;
    if (await this.isActive(key)) return;
    const { database, clock, limits } = this.#options;
    const destinationId = (await selectDestinationIds(database, [server])).get(server);
    const stored =
      destinationId === undefined ? 0 : await countPeekedRooms(database, destinationId);
    const servers = await countOtherPeekingServers(database, roomId, destinationId ?? UNKNOWN);
    const now = clock.now();
    for (const [name, { until }] of this.#arriving) if (until <= now) this.#arriving.delete(name);
    const others = [...this.#arriving.values()].filter((one) => nameOf(one) !== nameOf(key));
    const arriving = others.filter((one) => one.server === server).length;
    if (stored + arriving >= limits.maxPerServer) {
      throw this.#tooMany('Your server looks into too many rooms');
    }
    const newcomers = new Set(
      others.filter((one) => one.roomId === roomId && one.server !== server).map(serverOf),
    );
    if (servers + newcomers.size >= limits.maxPerRoom) {
      throw this.#tooMany('Too many servers look into this room');
    }
    this.#arriving.set(nameOf(key), { ...key, until: now + ARRIVING_MS });
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

function nameOf({ server, roomId, peekId }: InboundPeekKey): string {
  return JSON.stringify([server, roomId, peekId]);
}

function serverOf({ server }: InboundPeekKey): InboundPeekKey['server'] {
  return server;
}
