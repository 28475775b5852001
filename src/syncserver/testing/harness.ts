// A syncserver on a database of its own, with an event log, a clock that the test moves, and fakes to ask.

import { untilDuring } from '../../../test/until.ts';
import { type Clock, ManualClock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { openEmbeddedLog } from '../../eventlog/embedded.ts';
import type { DurableTopic, EntryOf } from '../../eventlog/entries.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import { silentLogger } from '../../logger.ts';
import type { DeviceId, EventId, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StateSection, SyncserverApi, Viewer } from '../api.ts';
import { createSyncserver } from '../syncserver.ts';
import { FakeRoomserver } from './fake-roomserver.ts';
import { FakeUserserver } from './fake-userserver.ts';

export const ALICE = '@alice:localhost' as UserId;
export const BOB = '@bob:localhost' as UserId;
export const CAROL = '@carol:localhost' as UserId;

export interface HarnessOptions {
  readonly maxPerUser?: number;
  readonly maxPerRoom?: number;
  readonly graceMs?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into responses of every shape
export type Body = any;

export interface SyncSettings {
  readonly since?: string;
  readonly timeoutMs?: number;
  readonly filter?: JsonObject;
  readonly fullState?: boolean;
  readonly stateSection?: StateSection;
  readonly signal?: AbortSignal;
}

/** Tells who waits: a poll shows as a timer of its length. */
class WatchedClock extends ManualClock {
  readonly scheduled: number[] = [];

  override schedule(delayMs: number, callback: () => void): () => void {
    this.scheduled.push(delayMs);
    return super.schedule(delayMs, callback);
  }
}

export class Harness {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: WatchedClock;
  readonly rooms: FakeRoomserver;
  readonly users: FakeUserserver;
  readonly #options: HarnessOptions;
  readonly #positions = { receipts: 0, toDevice: 0 };
  api!: SyncserverApi;
  /** Whether a long poll of the user waits. */
  isWaiting!: (userId: UserId) => boolean;
  #close: () => Promise<void> = async () => {};

  constructor(
    parts: { database: Database; eventLog: EventLog; clock: WatchedClock },
    options: HarnessOptions,
  ) {
    const { database, eventLog, clock } = parts;
    this.database = database;
    this.eventLog = eventLog;
    this.clock = clock;
    this.#options = options;
    this.rooms = new FakeRoomserver(database, eventLog, () => clock.now());
    this.users = new FakeUserserver(database, eventLog);
  }

  /** Also as after a restart: only what is in the database is kept. */
  async start(): Promise<void> {
    await this.#close();
    const { maxPerUser = 10, maxPerRoom = 10, graceMs = 900_000 } = this.#options;
    const { api, isWaiting, close } = await createSyncserver({
      database: this.database,
      eventLog: this.eventLog,
      clock: this.clock,
      logger: silentLogger,
      serverName: 'localhost' as ServerName,
      roomserver: this.rooms.api,
      userserver: this.users.api,
      config: { peeking: { lifetimeMs: 3_600_000, graceMs, maxPerUser, maxPerRoom } },
    });
    this.api = api;
    this.isWaiting = isWaiting;
    this.#close = close;
  }

  async close(): Promise<void> {
    await this.#close();
    await this.eventLog.close();
  }

  /** Until all that was written has been consumed. */
  async settled(): Promise<void> {
    await this.api.waitForPositions({
      rooms: this.rooms.position,
      users: this.users.position,
      ...this.#positions,
    });
  }

  async sync(viewer: Viewer, settings: SyncSettings = {}): Promise<Body> {
    await this.settled();
    return this.poll(viewer, { timeoutMs: 0, ...settings });
  }

  /** Waits for news, half a minute unless told otherwise. */
  poll(viewer: Viewer, settings: SyncSettings = {}): Promise<Body> {
    return this.api.sync({
      viewer,
      timeoutMs: 30_000,
      fullState: false,
      filter: {},
      stateSection: 'state',
      ...settings,
    });
  }

  /** Counts reads of the database outside of transactions from now on. */
  countReads(): () => number {
    const { database } = this;
    const { all, get } = database;
    let reads = 0;
    database.all = (query) => {
      reads += 1;
      return all.call(database, query) as ReturnType<typeof database.all> as never;
    };
    database.get = (query) => {
      reads += 1;
      return get.call(database, query) as never;
    };
    return () => reads;
  }

  /** As `poll`, once the server has found that there is nothing to tell and waits. */
  async waitingPoll(viewer: Viewer, settings: SyncSettings): Promise<{ answer: Promise<Body> }> {
    const timeoutMs = 30_000;
    this.clock.scheduled.length = 0;
    const answer = this.poll(viewer, { ...settings, timeoutMs });
    await untilDuring(answer, () => this.clock.scheduled.includes(timeoutMs));
    return { answer };
  }

  /** Until the given long poll of the user waits. */
  untilWaiting(userId: UserId, poll: Promise<unknown>): Promise<void> {
    return untilDuring(poll, () => this.isWaiting(userId), `a poll of ${userId} that waits`);
  }

  async receipt(
    roomId: RoomId,
    userId: UserId,
    receipt: {
      readonly eventId: EventId;
      readonly type?: 'm.read' | 'm.read.private';
      readonly threadId?: string;
    },
  ): Promise<void> {
    const entry = { v: 1, userId, type: 'm.read' as const, ts: this.clock.now(), ...receipt };
    this.#positions.receipts = await this.#append('edu.receipt', roomId, entry);
  }

  async toDevice(recipient: UserId, deviceId: DeviceId | '*', body: string): Promise<void> {
    this.#positions.toDevice = await this.#append('edu.to_device', recipient, {
      v: 1,
      sender: ALICE,
      recipient,
      deviceId,
      type: 'm.test',
      content: { body },
    });
  }

  async #append<T extends DurableTopic>(topic: T, key: string, entry: EntryOf[T]): Promise<number> {
    const ticket = await this.database.transact((tx) =>
      this.eventLog.append(tx, topic, [{ key, entry }]),
    );
    return this.eventLog.position(ticket);
  }
}

/** Where the database comes from, and who closes what uses it. */
interface Backend {
  open(options: { readonly clock: Clock }): Promise<Database>;
  closeFirst(stop: () => Promise<void>): void;
}

export async function openHarness(
  backend: Backend,
  options: HarnessOptions = {},
): Promise<Harness> {
  const clock = new WatchedClock();
  const database = await backend.open({ clock });
  const eventLog = await openEmbeddedLog({ database, clock, logger: silentLogger });
  const harness = new Harness({ database, eventLog, clock }, options);
  backend.closeFirst(() => harness.close());
  await harness.start();
  return harness;
}

export function viewer(userId: UserId, device = 'DEVICE'): Viewer {
  return { userId, deviceId: device as DeviceId, isGuest: false };
}

export function types(section: Body, part = 'timeline'): string[] {
  return (section?.[part]?.events ?? []).map((event: Body) => event.type);
}

export function bodies(section: Body): string[] {
  return (section?.timeline?.events ?? [])
    .map((event: Body) => event.content.body)
    .filter((body: unknown) => body !== undefined);
}
