// Who is still looking? A device looks while its peek has not expired and it has synced, held a sync open or
// posted a peek within the grace period. Whether anybody looks into a room is published as a level.

import { Alarm } from '../../alarm.ts';
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
import {
  deletePeeksEndedBefore,
  type Peek,
  selectActivePeeksOfRoom,
  selectLookedIntoRooms,
} from '../store/peeks.ts';
import { DeviceSightings } from './device-sightings.ts';

/** A level is repeated this often, for a reader that lost one. */
const REPEAT_MS = 3_600_000;
/** Ended peeks of devices that do not come back are kept this long. */
const KEPT_ENDED_MS = 7 * 86_400_000;
/** Of a room, so many peeks are read first: mostly one of those that expire last is still looked by. */
const FEW = 20;
/** Rooms settled in one transaction. */
const AT_ONCE = 100;

export interface PeekInterestOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly graceMs: number;
}

export class PeekInterestPublisher {
  readonly #options: PeekInterestOptions;
  readonly #sightings: DeviceSightings;
  /** When the level of a wanted room may next change by time alone, or is to be repeated. */
  readonly #due = new Map<RoomId, number>();
  readonly #alarm: Alarm;
  #review: Promise<void> = Promise.resolve();
  /** ms since the epoch. */
  #cleaned = 0;
  #closed = false;

  constructor(options: PeekInterestOptions) {
    this.#options = options;
    this.#sightings = new DeviceSightings(options.clock, options.graceMs);
    this.#alarm = new Alarm(options.clock, () => this.#reviewDue());
  }

  /** Takes up what was wanted before a restart, and who has a fresh grace period since. */
  start(): Promise<void> {
    this.#review = this.#startNow();
    return this.#review;
  }

  /** The device has synced. `peeks`: the active ones that it has. */
  deviceSeen(userId: UserId, deviceId: DeviceId, peeks: readonly Peek[]): void {
    if (peeks.length === 0) return;
    if (!this.peekPosted(userId, deviceId)) return;
    this.#settleSoon(peeks.map((peek) => peek.roomId));
  }

  /** The device holds a sync open, until the returned function is called. */
  deviceWaits(userId: UserId, deviceId: DeviceId): () => void {
    return this.#sightings.hold(userId, deviceId);
  }

  /** The device posts a peek. Returns whether it was not looking any more: then its other rooms are to be settled too. */
  peekPosted(userId: UserId, deviceId: DeviceId): boolean {
    return this.#sightings.see(userId, deviceId);
  }

  /** Publishes the level of rooms whose peeks this transaction changes, where it differs from the last one. */
  async settle(tx: Transaction, roomIds: Iterable<RoomId>): Promise<void> {
    const now = this.#options.clock.now();
    const due = new Map<RoomId, number>();
    for (const roomId of new Set(roomIds)) due.set(roomId, await this.#settle(tx, roomId, now));
    tx.afterCommit(() => {
      for (const [roomId, at] of due) this.#setDue(roomId, at);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alarm.close();
    await this.#review;
  }

  /** Returns when the level may next change by time alone. */
  async #settle(tx: Transaction, roomId: RoomId, now: number): Promise<number> {
    const lookedUntil = await this.#lookedUntil(tx, roomId, now);
    const wanted = lookedUntil > now;
    const last = await selectPublishedInterest(tx, roomId);
    const repeatTs = (last?.publishedTs ?? now) + REPEAT_MS;
    const isNews = wanted !== (last?.wanted ?? false) || (wanted && repeatTs <= now);
    if (isNews) {
      const sequence = (last?.sequence ?? 0) + 1;
      await insertPublishedInterest(tx, { roomId, wanted, sequence, publishedTs: now });
      const entry = { v: ENTRY_VERSION, wanted, sequence };
      await this.#options.eventLog.append(tx, 'syncserver.peek_interest', [{ key: roomId, entry }]);
    }
    if (!wanted) return Number.POSITIVE_INFINITY;
    return Math.min(isNews ? now + REPEAT_MS : repeatTs, lookedUntil);
  }

  /** How long one who looks will go on as things are, whoever it is; 0 when nobody looks. */
  async #lookedUntil(tx: Transaction, roomId: RoomId, now: number): Promise<number> {
    const range = { roomId, now };
    const few = await selectActivePeeksOfRoom(tx, { ...range, limit: FEW });
    const until = this.#longest(few);
    if (until > now || few.length < FEW) return until;
    return this.#longest(await selectActivePeeksOfRoom(tx, range));
  }

  #longest(peeks: readonly Peek[]): number {
    const ends = peeks.map(({ userId, deviceId, expiryTs }) =>
      Math.min(expiryTs, this.#sightings.graceEnd(userId, deviceId)),
    );
    return Math.max(0, ...ends);
  }

  #setDue(roomId: RoomId, at: number): void {
    if (at === Number.POSITIVE_INFINITY) this.#due.delete(roomId);
    else this.#due.set(roomId, at);
    this.#arm(at);
  }

  #arm(at: number): void {
    if (at !== Number.POSITIVE_INFINITY) this.#alarm.set(at);
  }

  #reviewDue(): void {
    const now = this.#options.clock.now();
    if (this.#cleaned + REPEAT_MS <= now) this.#review = this.#review.then(() => this.#clean());
    const isDue = ([, at]: readonly [RoomId, number]) => at <= now;
    this.#settleSoon([...this.#due].filter(isDue).map(([roomId]) => roomId));
    const later = [...this.#due].filter((due) => !isDue(due));
    this.#arm(later.reduce((first, [, at]) => Math.min(first, at), Number.POSITIVE_INFINITY));
  }

  #settleSoon(roomIds: readonly RoomId[]): void {
    this.#review = this.#review.then(() => this.#settleAll(roomIds));
  }

  async #startNow(): Promise<void> {
    const { database, clock } = this.#options;
    await this.#clean();
    const wanted = await selectWantedRooms(database);
    const lookedInto = await selectLookedIntoRooms(database, clock.now());
    await this.#settleAll([...new Set([...wanted, ...lookedInto])]);
  }

  async #clean(): Promise<void> {
    const { database, clock, logger } = this.#options;
    this.#cleaned = clock.now();
    try {
      const before = clock.now() - KEPT_ENDED_MS;
      await database.transact((tx) => deletePeeksEndedBefore(tx, before));
    } catch (error) {
      logger.error({ err: error }, 'peeks that ended long ago could not be deleted');
    }
  }

  /** What fails is done again with the next change or after a while. */
  async #settleAll(roomIds: readonly RoomId[]): Promise<void> {
    const { database, clock, logger, graceMs } = this.#options;
    for (let start = 0; start < roomIds.length && !this.#closed; start += AT_ONCE) {
      const some = roomIds.slice(start, start + AT_ONCE);
      try {
        await database.transact((tx) => this.settle(tx, some));
      } catch (error) {
        logger.error({ err: error }, 'publishing who looks into which room failed');
        for (const roomId of some) this.#setDue(roomId, clock.now() + graceMs);
      }
    }
  }
}
