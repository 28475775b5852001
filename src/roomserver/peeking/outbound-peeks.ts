// Our looks into rooms in which we are not resident: one subscription for each, however many devices look. What is
// wanted (the syncserver says) and what there is are brought together here, one room at a time.

import { MatrixError } from '../../protocol/error.ts';
import { type RoomId, type ServerName, serverNameOfRoomId } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { inputState } from '../input/input-state.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectJoinedHosts } from '../store/memberships.ts';
import {
  deleteOutboundPeek,
  type OutboundPeek,
  selectIsWanted,
  selectOutboundPeeks,
  selectWantedRooms,
} from '../store/outbound-peeks.ts';
import { readPeekAnswer } from './peek-answer.ts';

/** Servers that are asked for one room, at most. */
const MAX_SERVERS = 20;
/** After a peek was asked for, or a start: time for the interest in it to be published, ms. */
const SETTLING_MS = 30_000;
const FIRST_PAUSE_MS = 30_000;
const LAST_PAUSE_MS = 3_600_000;

/** A start that is under way, and whom it asks. */
interface Start {
  readonly servers: readonly ServerName[];
  readonly done: Promise<void>;
}

interface Former {
  readonly server: ServerName;
  readonly isUnreachable: boolean;
}

export class OutboundPeeks {
  readonly #context: RoomserverContext;
  readonly #watched = new Map<RoomId, readonly OutboundPeek[]>();
  readonly #starting = new Map<RoomId, Start>();
  /** How many are about to look, whose interest is not published yet. */
  readonly #held = new Map<RoomId, number>();
  readonly #reconciling = new Map<RoomId, Promise<void>>();
  readonly #pauses = new Map<RoomId, number>();
  readonly #timers = new Map<RoomId, () => void>();
  /** Through whom we looked last, where that came to an end. */
  readonly #former = new Map<RoomId, Former>();
  #isClosed = false;

  constructor(context: RoomserverContext) {
    this.#context = context;
  }

  /** Takes up what there was before a restart; what is wanted and what is not is found out soon. */
  async open(): Promise<void> {
    for (const peek of await selectOutboundPeeks(this.#context.database)) this.#add(peek);
  }

  /** To be called when the log is being consumed. */
  async start(): Promise<void> {
    const wanted = await selectWantedRooms(this.#context.database);
    const rooms = new Set([...wanted, ...this.#watched.keys()]);
    for (const roomId of rooms) this.#reconcileIn(SETTLING_MS, roomId);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    await Promise.allSettled([...this.#reconciling.values()]);
    await Promise.allSettled([...this.#starting.values()].map(({ done }) => done));
  }

  /** Whether what we know of the room is kept up to date by a server through which we look. */
  isWatched(roomId: RoomId): boolean {
    return this.#watched.has(roomId);
  }

  isStarting(roomId: RoomId): boolean {
    return this.#starting.has(roomId);
  }

  /** Resolves when the start that is under way, if any, has ended somehow. */
  async startedOrFailed(roomId: RoomId): Promise<void> {
    await this.#starting.get(roomId)?.done.catch(() => undefined);
  }

  /** Whether events of the room may come from the server though no user of ours is in it. */
  isWatchedThrough(roomId: RoomId, server: ServerName): boolean {
    return this.#watched.get(roomId)?.some((peek) => peek.server === server) === true;
  }

  /**
   * Runs `look` while the room is watched. Those who begin at the same time share what others have begun; who has other
   * servers to ask than they goes on alone when it fails. Errors: those of the servers.
   */
  async whileWatched<T>(
    roomId: RoomId,
    hints: readonly ServerName[],
    look: () => Promise<T>,
  ): Promise<T> {
    this.#held.set(roomId, (this.#held.get(roomId) ?? 0) + 1);
    try {
      await this.#watch(roomId, hints);
      return await look();
    } finally {
      const held = (this.#held.get(roomId) ?? 1) - 1;
      if (held === 0) this.#held.delete(roomId);
      else this.#held.set(roomId, held);
      this.#reconcileIn(SETTLING_MS, roomId);
    }
  }

  /** Whether anybody wants to look has changed, or whether we are in the room. */
  reconcile(roomId: RoomId): void {
    if (this.#isClosed) return;
    const before = this.#reconciling.get(roomId) ?? Promise.resolve();
    const done = before
      .then(() => this.#reconcileNow(roomId))
      .then(
        () => this.#pauses.delete(roomId),
        (error: unknown) => this.#retryLater(roomId, error),
      )
      .then(() => {
        if (this.#reconciling.get(roomId) === done) this.#reconciling.delete(roomId);
      });
    this.#reconciling.set(roomId, done);
  }

  /** After COMMIT. */
  started(peek: OutboundPeek): void {
    this.#add(peek);
  }

  /** After COMMIT of what has deleted the row. */
  ended({ roomId, server, peekId }: OutboundPeek): void {
    const left = (this.#watched.get(roomId) ?? []).filter(
      (peek) => peek.server !== server || peek.peekId !== peekId,
    );
    if (left.length === 0) this.#watched.delete(roomId);
    else this.#watched.set(roomId, left);
  }

  /** As `ended`, and not by our will: another one is begun if the room is still wanted. */
  lost(peek: OutboundPeek, isUnreachable: boolean): void {
    this.ended(peek);
    this.#former.set(peek.roomId, { server: peek.server, isUnreachable });
    this.reconcile(peek.roomId);
  }

  #add(peek: OutboundPeek): void {
    this.#former.delete(peek.roomId);
    const others = (this.#watched.get(peek.roomId) ?? []).filter(
      ({ server }) => server !== peek.server,
    );
    this.#watched.set(peek.roomId, [...others, peek]);
  }

  async #watch(roomId: RoomId, hints: readonly ServerName[]): Promise<void> {
    const servers = await this.#candidates(roomId, hints);
    for (;;) {
      if (this.isWatched(roomId)) return;
      const running = this.#starting.get(roomId);
      if (running === undefined) return this.#begin(roomId, servers);
      const failure = await running.done.then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      const isHopeless = servers.every((server) => running.servers.includes(server));
      if (failure !== undefined && isHopeless) throw failure.error;
    }
  }

  #begin(roomId: RoomId, servers: readonly ServerName[]): Promise<void> {
    const done = this.#tryEach(roomId, servers).finally(() => this.#starting.delete(roomId));
    this.#starting.set(roomId, { servers, done });
    return done;
  }

  /** What was said to us, then where the room is known to be, then where it was made; who has just failed us last. */
  async #candidates(roomId: RoomId, hints: readonly ServerName[]): Promise<ServerName[]> {
    const { database, serverName } = this.#context;
    const learned = await selectJoinedHosts(database, roomId, MAX_SERVERS);
    const maker = serverNameOfRoomId(roomId);
    const former = this.#former.get(roomId);
    const last = former?.isUnreachable === true ? [former.server] : [];
    const first = former?.isUnreachable === false ? [former.server] : [];
    const known = new Set([
      ...first,
      ...hints,
      ...learned,
      ...(maker === undefined ? [] : [maker]),
    ]);
    for (const server of [serverName, ...last]) known.delete(server);
    return [...known].slice(0, MAX_SERVERS).concat(last);
  }

  async #tryEach(roomId: RoomId, servers: readonly ServerName[]): Promise<void> {
    const { federationsender, logger } = this.#context;
    const roomVersions = ROOM_VERSIONS;
    let failure: unknown = new MatrixError('M_NOT_FOUND', 'No such room');
    let left = servers;
    while (left.length > 0) {
      if (this.#isClosed) throw new Error('the roomserver is closed');
      const request = { roomId, servers: left, roomVersions };
      const { server, peekId, answer } = await federationsender.performOutboundPeek(request);
      const peek = { roomId, server, peekId };
      try {
        const { renewalInterval, ...state } = readPeekAnswer(answer);
        const input = { ...state, roomId, reason: 'peek' as const };
        await inputState(this.#context, { ...input, peek: { ...peek, renewalInterval } });
        return;
      } catch (error) {
        logger.info({ roomId, server, err: error }, 'what a server shows of a room is not used');
        failure = error;
        await federationsender.performCancelOutboundPeek(peek);
      }
      left = left.slice(left.indexOf(server) + 1);
    }
    throw failure;
  }

  async #reconcileNow(roomId: RoomId): Promise<void> {
    if (this.#isClosed || this.#held.has(roomId) || this.#starting.has(roomId)) return;
    const { database, rooms } = this.#context;
    const isWanted = await selectIsWanted(database, roomId);
    const isResident = ((await rooms.head(roomId))?.localMembers ?? 0) > 0;
    if (this.isWatched(roomId)) {
      if (isResident || !isWanted) await this.#end(roomId);
    } else if (isWanted && !isResident) {
      await this.#watch(roomId, []);
    }
  }

  async #end(roomId: RoomId): Promise<void> {
    await this.#context.rooms.change(roomId, async (room) => {
      for (const peek of this.#watched.get(roomId) ?? []) this.#retire(room, peek);
    });
  }

  #retire(room: RoomDraft, peek: OutboundPeek): void {
    const { server, peekId } = peek;
    room.log({ kind: 'RetireOutboundPeek', server, peekId });
    room.alsoWrite((tx) => deleteOutboundPeek(tx, peek));
    room.afterCommit(() => this.ended(peek));
  }

  #retryLater(roomId: RoomId, error: unknown): void {
    const pause = this.#pauses.get(roomId) ?? FIRST_PAUSE_MS;
    this.#pauses.set(roomId, Math.min(pause * 2, LAST_PAUSE_MS));
    this.#context.logger.info({ roomId, err: error }, 'a room that somebody looks into is not had');
    this.#reconcileIn(pause, roomId);
  }

  #reconcileIn(delayMs: number, roomId: RoomId): void {
    if (this.#isClosed) return;
    this.#timers.get(roomId)?.();
    const cancel = this.#context.clock.schedule(delayMs, () => {
      this.#timers.delete(roomId);
      this.reconcile(roomId);
    });
    this.#timers.set(roomId, cancel);
  }
}
