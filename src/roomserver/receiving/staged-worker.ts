// Receives what is staged into the rooms: some rooms at a time, each server of a room in its turn, so that neither a busy
// room nor one whose servers do not answer holds up the others. A row stays until its events have met their fates, so
// that a restart takes it up again.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { type StagedPdu, selectBacklogs, selectLastStagedId } from '../store/staged-pdus.ts';
import { Backlog } from './backlog.ts';
import { Deferrals } from './deferrals.ts';
import { deleteDone, receiveBatch } from './receive-batch.ts';

const ROOMS_AT_ONCE = 16;
/** Of these, those that receive from the same server: one that makes us wait must not stop all others. */
const ROOMS_PER_ORIGIN = 8;
/** Besides these, those that wait for their policy servers alone. */
const ROOMS_ASIDE = 64;
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 60_000;

export class StagedWorker {
  readonly backlog = new Backlog();
  readonly #deferrals = new Deferrals();
  readonly #timers = new Set<() => void>();
  readonly #contextOf: () => RoomserverContext;
  #lastId = 0;
  /** Rooms with events that wait and are not being received, in order of turns. */
  readonly #ready = new Set<RoomId>();
  readonly #running = new Map<RoomId, { origin: ServerName; work: Promise<void> }>();
  /** Of the running ones, those whose turn others may have meanwhile. */
  readonly #aside = new Set<RoomId>();
  /** Rooms that wait because their last batch could not be received: how to end it. */
  readonly #pauses = new Map<RoomId, () => void>();
  /** How long they wait, in ms, or waited last. */
  readonly #pauseMs = new Map<RoomId, number>();
  #isClosed = false;

  /** `contextOf`: the context, of which this is a part itself. */
  constructor(contextOf: () => RoomserverContext) {
    this.#contextOf = contextOf;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes up what a restart has left. */
  async start(): Promise<void> {
    const { database } = this.#contextOf();
    this.#lastId = await selectLastStagedId(database);
    for (const { roomId, origin, count } of await selectBacklogs(database)) {
      this.backlog.add(roomId, origin, count);
    }
    for (const roomId of this.backlog.rooms()) this.#ready.add(roomId);
    this.#startRooms();
  }

  nextId(): number {
    this.#lastId++;
    return this.#lastId;
  }

  /** Events have been staged. */
  added(roomId: RoomId, origin: ServerName, count: number): void {
    this.backlog.add(roomId, origin, count);
    this.#makeReady(roomId);
    this.#startRooms();
  }

  /** How many more of the server's events may be staged for the room. */
  spaceFor(roomId: RoomId, origin: ServerName): number {
    const deferred = this.#deferrals.countOf({ roomId, origin });
    return Math.max(this.backlog.spaceFor(roomId, origin) - deferred, 0);
  }

  /** Resolves when all has been received that can be now. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.values()].map(({ work }) => work));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of [...this.#pauses.values(), ...this.#timers]) cancel();
    await this.idle();
  }

  #makeReady(roomId: RoomId): void {
    const waits = this.#running.has(roomId) || this.#pauses.has(roomId);
    if (!waits && this.backlog.nextOrigin(roomId) !== undefined) this.#ready.add(roomId);
  }

  #startRooms(): void {
    for (const roomId of this.#ready) {
      if (this.#isClosed || this.#running.size - this.#aside.size >= ROOMS_AT_ONCE) return;
      const origin = this.backlog.nextOrigin(roomId);
      if (origin === undefined) this.#ready.delete(roomId);
      else if (this.#roomsOf(origin) < ROOMS_PER_ORIGIN) this.#startRoom(roomId, origin);
    }
  }

  #roomsOf(origin: ServerName): number {
    let count = 0;
    for (const [roomId, running] of this.#running) {
      if (running.origin === origin && !this.#aside.has(roomId)) count++;
    }
    return count;
  }

  async #setAside<T>(roomId: RoomId, waiting: () => Promise<T>): Promise<T> {
    if (this.#aside.size >= ROOMS_ASIDE) return waiting();
    this.#aside.add(roomId);
    this.#startRooms();
    try {
      return await waiting();
    } finally {
      this.#aside.delete(roomId);
    }
  }

  #startRoom(roomId: RoomId, origin: ServerName): void {
    this.#ready.delete(roomId);
    const work = this.#receive(roomId, origin).finally(() => {
      this.#running.delete(roomId);
      this.#makeReady(roomId);
      this.#startRooms();
    });
    this.#running.set(roomId, { origin, work });
  }

  async #receive(roomId: RoomId, origin: ServerName): Promise<void> {
    const place = { roomId, origin };
    try {
      const batch = await receiveBatch(this.#contextOf(), place, {
        deferrals: this.#deferrals,
        aside: (waiting) => this.#setAside(roomId, waiting),
      });
      const { taken, done, lacking } = batch;
      for (const { id } of done) this.#deferrals.forget(id);
      await this.#deferAll(lacking);
      this.backlog.remove(roomId, origin, taken);
      this.backlog.passTurn(roomId, origin);
      this.#pauseMs.delete(roomId);
    } catch (error) {
      // Its rows are there after a restart.
      if (this.#isClosed) return;
      const { logger } = this.#contextOf();
      logger.error({ roomId, origin, err: error }, 'staged events were not received');
      this.#pause(roomId);
    }
  }

  /** Those that have come often enough are given up. */
  async #deferAll(lacking: readonly StagedPdu[]): Promise<void> {
    const given: StagedPdu[] = [];
    for (const staged of lacking) {
      const pause = this.#deferrals.defer(staged);
      if (pause === undefined) given.push(staged);
      else this.#bringBack(staged, pause);
    }
    for (const { id } of given) this.#deferrals.forget(id);
    await deleteDone(this.#contextOf(), given);
  }

  #bringBack(staged: StagedPdu, pause: number): void {
    if (this.#isClosed) return;
    const cancel = this.#contextOf().clock.schedule(pause, () => {
      this.#timers.delete(cancel);
      this.#deferrals.release(staged);
      this.added(staged.roomId, staged.origin, 1);
    });
    this.#timers.add(cancel);
  }

  #pause(roomId: RoomId): void {
    const before = this.#pauseMs.get(roomId) ?? FIRST_PAUSE_MS / 2;
    const ms = Math.min(before * 2, LAST_PAUSE_MS);
    this.#pauseMs.set(roomId, ms);
    const cancel = this.#contextOf().clock.schedule(ms, () => {
      this.#pauses.delete(roomId);
      this.#makeReady(roomId);
      this.#startRooms();
    });
    this.#pauses.set(roomId, cancel);
  }
}
