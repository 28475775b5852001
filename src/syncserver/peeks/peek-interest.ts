// Who is still looking? A device looks while its peek has not expired and it has synced, held a sync open or
// posted a peek within the grace period. Whether anybody looks into a room is published as a level.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { ENTRY_VERSION } from '../../eventlog/entries.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import type { Logger } from '../../logger.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import {
  insertPublishedInterest,
  selectPublishedInterest,
  selectWantedRooms,
} from '../store/peek-interest.ts';
import { deletePeeksEndedBefore, type Peek, selectActivePeeksOfRoom } from '../store/peeks.ts';

const MAX_DEVICES = 100_000;
/** A level is repeated this often, for a reader that lost one. */
const REPEAT_MS = 3_600_000;
/** Ended peeks of devices that do not come back are kept this long. */
const KEPT_ENDED_MS = 7 * 86_400_000;

export interface PeekInterestOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly graceMs: number;
}

export class PeekInterestPublisher {
  readonly #options: PeekInterestOptions;
  readonly #startedTs: number;
  readonly #lastSeen = new LRUCache<string, number>({ max: MAX_DEVICES });
  #due: { readonly at: number; readonly cancel: () => void } | undefined;
  #review: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PeekInterestOptions) {
    this.#options = options;
    // After a restart every device has a fresh grace period.
    this.#startedTs = options.clock.now();
  }

  /** Takes up what was wanted before a restart. */
  start(): Promise<void> {
    return this.#reviewNow();
  }

  /** The device has synced, or posted a peek. `peeks`: the active ones that it has. */
  deviceSeen(userId: UserId, deviceId: DeviceId, peeks: readonly Peek[]): void {
    if (peeks.length === 0) return;
    if (this.peekPosted(userId, deviceId)) this.#settleLater(peeks.map((peek) => peek.roomId));
  }

  /** The device posts a peek. Returns whether it was not looking any more: then its other rooms are to be settled too. */
  peekPosted(userId: UserId, deviceId: DeviceId): boolean {
    const now = this.#options.clock.now();
    const hadLapsed = this.#graceEnd(userId, deviceId) <= now;
    this.#lastSeen.set(`${userId}\0${deviceId}`, now);
    return hadLapsed;
  }

  /** Publishes the level of rooms whose peeks this transaction changes, where it differs from the last one. */
  async settle(tx: Transaction, roomIds: Iterable<RoomId>): Promise<void> {
    const now = this.#options.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const roomId of new Set(roomIds))
      next = Math.min(next, await this.#settle(tx, roomId, now));
    tx.afterCommit(() => this.#arm(next));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#due?.cancel();
    await this.#review;
  }

  /** Returns when the level may next change by time alone. */
  async #settle(tx: Transaction, roomId: RoomId, now: number): Promise<number> {
    const peeks = await selectActivePeeksOfRoom(tx, roomId, now);
    const looking = peeks.filter((peek) => this.#graceEnd(peek.userId, peek.deviceId) > now);
    const wanted = looking.length > 0;
    const last = await selectPublishedInterest(tx, roomId);
    const isDue = wanted && last !== undefined && last.publishedTs + REPEAT_MS <= now;
    if (wanted !== (last?.wanted ?? false) || isDue) {
      const sequence = (last?.sequence ?? 0) + 1;
      await insertPublishedInterest(tx, { roomId, wanted, sequence, publishedTs: now });
      const entry = { v: ENTRY_VERSION, wanted, sequence };
      await this.#options.eventLog.append(tx, 'syncserver.peek_interest', [{ key: roomId, entry }]);
    }
    if (!wanted) return Number.POSITIVE_INFINITY;
    const ends = looking.map((peek) =>
      Math.min(peek.expiryTs, this.#graceEnd(peek.userId, peek.deviceId)),
    );
    return Math.min(now + REPEAT_MS, ...ends);
  }

  #graceEnd(userId: UserId, deviceId: DeviceId): number {
    const seen = this.#lastSeen.get(`${userId}\0${deviceId}`) ?? this.#startedTs;
    return seen + this.#options.graceMs;
  }

  #arm(at: number): void {
    if (this.#closed || at === Number.POSITIVE_INFINITY) return;
    if (this.#due !== undefined && this.#due.at <= at) return;
    this.#due?.cancel();
    const { clock } = this.#options;
    const cancel = clock.schedule(Math.max(at - clock.now(), 0), () => {
      this.#due = undefined;
      this.#review = this.#reviewNow();
    });
    this.#due = { at, cancel };
  }

  #settleLater(roomIds: readonly RoomId[]): void {
    this.#review = this.#review.then(() => this.#attempt((tx) => this.settle(tx, roomIds)));
  }

  async #reviewNow(): Promise<void> {
    const { database, clock } = this.#options;
    await this.#attempt(async (tx) => {
      await deletePeeksEndedBefore(tx, clock.now() - KEPT_ENDED_MS);
    });
    const rooms = await selectWantedRooms(database);
    await this.#attempt((tx) =>
      this.settle(
        tx,
        rooms.map((room) => room.roomId),
      ),
    );
  }

  /** What fails is done again with the next change or at the next time. */
  async #attempt(body: (tx: Transaction) => Promise<void>): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#options.database.transact(body);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'publishing who looks into which room failed');
      this.#arm(this.#options.clock.now() + this.#options.graceMs);
    }
  }
}
