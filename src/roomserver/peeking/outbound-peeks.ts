// Our looks into rooms in which we are not resident: one subscription for each, however many devices look. What is
// wanted (the syncserver says) and what there is are brought together here, one room at a time.

import { type RoomId, type ServerName, serverNameOfRoomId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectJoinedHosts } from '../store/memberships.ts';
import {
  deleteOutboundPeek,
  deletePeekInterest,
  type OutboundPeek,
  selectOutboundPeeks,
  selectWantedRooms,
} from '../store/outbound-peeks.ts';
import { Attempts } from './attempts.ts';
import { beginPeek } from './begin-peek.ts';
import { endIfClosed, isForbiddance } from './closed-room.ts';
import { HeldPdus } from './held-pdus.ts';
import { WatchedRooms } from './watched-rooms.ts';

/** Servers that are asked for one room, at most. */
const MAX_SERVERS = 20;
/** After a peek was asked for, or a start: time for the interest in it to be published, ms. */
const SETTLING_MS = 30_000;

const MAX_LOOKS = 3;

/** A start that is under way, and whom it asks. */
interface Start {
  readonly servers: readonly ServerName[];
  readonly done: Promise<void>;
  /** A client waits for it. */
  readonly hurry: AbortController;
}

interface Former {
  readonly server: ServerName;
  readonly isUnreachable: boolean;
}

export class OutboundPeeks {
  /** What comes while a peek is begun. */
  readonly held = new HeldPdus();
  readonly #context: RoomserverContext;
  readonly #watched = new WatchedRooms();
  /** Rooms into which somebody here looks. */
  readonly #wanted = new Set<RoomId>();
  readonly #starting = new Map<RoomId, Start>();
  /** How many are about to look, whose interest is not published yet. */
  readonly #claims = new Map<RoomId, number>();
  readonly #reconciling = new Map<RoomId, Promise<void>>();
  readonly #attempts: Attempts;
  /** Through whom we looked last, where that came to an end. */
  readonly #former = new Map<RoomId, Former>();
  readonly #closing = new AbortController();

  constructor(context: RoomserverContext) {
    this.#context = context;
    this.#attempts = new Attempts(context.clock, (roomId) => this.reconcile(roomId));
  }

  /** Takes up what there was before a restart; what is wanted and what is not is found out soon. */
  async open(): Promise<void> {
    const { database } = this.#context;
    for (const peek of await selectOutboundPeeks(database)) this.#watched.add(peek);
    for (const roomId of await selectWantedRooms(database)) this.#wanted.add(roomId);
  }

  /** To be called when the log is being consumed. */
  start(): void {
    const rooms = new Set([...this.#wanted, ...this.#watched.rooms()]);
    for (const roomId of rooms) this.#attempts.after(SETTLING_MS, roomId);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the roomserver is closed'));
    for (const { hurry } of this.#starting.values()) hurry.abort();
    this.#attempts.close();
    await Promise.allSettled([...this.#reconciling.values()]);
    await Promise.allSettled([...this.#starting.values()].map(({ done }) => done));
  }

  /** Whether what we know of the room is kept up to date by a server through which we look. */
  isWatched(roomId: RoomId): boolean {
    return this.#watched.has(roomId);
  }

  /** Whether somebody may still look into the room here, though nobody may keep it up to date just now. */
  isLookedInto(roomId: RoomId): boolean {
    return this.isWatched(roomId) || this.#wanted.has(roomId);
  }

  isStarting(roomId: RoomId): boolean {
    return this.#starting.has(roomId);
  }

  /** Resolves when the start that is under way, if any, has ended somehow. */
  async startedOrFailed(roomId: RoomId): Promise<void> {
    await this.#starting.get(roomId)?.done.catch(() => undefined);
  }

  /** Through which we look into the room. */
  serversOf(roomId: RoomId): ServerName[] {
    return this.#watched.of(roomId).map(({ server }) => server);
  }

  /** Whether events of the room may come from the server though no user of ours is in it. */
  isWatchedThrough(roomId: RoomId, server: ServerName): boolean {
    return this.#watched.through(roomId, server) !== undefined;
  }

  /**
   * Runs `look` while the room is watched. Those who begin at the same time share what others have begun; who has other
   * servers to ask than they goes on alone when it fails. Where `look` finds nothing, the room was given up just then, and is
   * watched anew. Errors: those of the servers.
   */
  async whileWatched<T>(
    roomId: RoomId,
    hints: readonly ServerName[],
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    this.#claims.set(roomId, (this.#claims.get(roomId) ?? 0) + 1);
    try {
      for (let time = 0; time < MAX_LOOKS; time++) {
        await this.#watch(roomId, hints);
        const looked = await look();
        if (looked !== undefined) return looked;
      }
      return undefined;
    } finally {
      const claims = (this.#claims.get(roomId) ?? 1) - 1;
      if (claims === 0) this.#claims.delete(roomId);
      else this.#claims.set(roomId, claims);
      this.#attempts.after(SETTLING_MS, roomId);
    }
  }

  /** After COMMIT. */
  interestChanged(roomId: RoomId, isWanted: boolean): void {
    if (isWanted) this.#wanted.add(roomId);
    else this.#wanted.delete(roomId);
    this.reconcile(roomId);
  }

  /** Brings what there is to what is wanted. */
  reconcile(roomId: RoomId): void {
    if (this.#closing.signal.aborted) return;
    const before = this.#reconciling.get(roomId) ?? Promise.resolve();
    const done = before
      .then(() => this.#reconcileNow(roomId))
      .then(
        () => this.#attempts.succeeded(roomId),
        (error: unknown) => this.#failed(roomId, error),
      )
      .then(() => {
        if (this.#reconciling.get(roomId) === done) this.#reconciling.delete(roomId);
      });
    this.#reconciling.set(roomId, done);
  }

  /** The first of our users has joined, or the last has left. */
  residenceChanged(roomId: RoomId, isResident: boolean): void {
    if (!isResident || this.isWatched(roomId)) this.reconcile(roomId);
  }

  /** After COMMIT. */
  started(peek: OutboundPeek): void {
    this.#former.delete(peek.roomId);
    this.#watched.add(peek);
  }

  /** After COMMIT of what has deleted the row: another one is begun if the room is still wanted. */
  lost(peek: OutboundPeek, isUnreachable: boolean): void {
    this.#watched.remove(peek);
    this.#former.set(peek.roomId, { server: peek.server, isUnreachable });
    this.reconcile(peek.roomId);
  }

  /** A server tells of a room into which we do not look through it: the one through which we did is there again. */
  heardOf(roomId: RoomId, server: ServerName): void {
    if (this.#former.get(roomId)?.server === server) this.#attempts.hasten(roomId);
  }

  /** In the unit of work in which the room goes. */
  purge(room: RoomDraft): void {
    const { roomId } = room;
    this.#retireAll(room);
    room.alsoWrite((tx) => deletePeekInterest(tx, roomId));
    room.afterCommit(() => {
      this.#wanted.delete(roomId);
      this.#former.delete(roomId);
      this.#attempts.forget(roomId);
    });
  }

  async #watch(roomId: RoomId, hints: readonly ServerName[]): Promise<void> {
    const servers = await this.#candidates(roomId, hints);
    for (;;) {
      if (this.isWatched(roomId)) return;
      const running = this.#starting.get(roomId);
      if (running === undefined) return this.#begin(roomId, servers);
      if (this.#claims.has(roomId)) running.hurry.abort();
      const failure = await running.done.then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      const isHopeless = servers.every((server) => running.servers.includes(server));
      if (failure !== undefined && isHopeless) throw failure.error;
    }
  }

  #begin(roomId: RoomId, servers: readonly ServerName[]): Promise<void> {
    const hurry = new AbortController();
    if (this.#claims.has(roomId)) hurry.abort();
    const start = { roomId, servers, signal: this.#closing.signal, hurry: hurry.signal };
    const done = beginPeek(this.#context, start).finally(() => this.#starting.delete(roomId));
    this.#starting.set(roomId, { servers, done, hurry });
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

  async #reconcileNow(roomId: RoomId): Promise<void> {
    if (this.#closing.signal.aborted || this.#claims.has(roomId) || this.#starting.has(roomId))
      return;
    const { rooms } = this.#context;
    const isWanted = this.#wanted.has(roomId);
    const isResident = ((await rooms.head(roomId))?.localMembers ?? 0) > 0;
    if (this.isWatched(roomId)) {
      if (isResident || !isWanted)
        await rooms.change(roomId, async (room) => this.#retireAll(room));
    } else if (isWanted && !isResident) {
      await this.#watchAgain(roomId);
    } else {
      this.#former.delete(roomId);
    }
  }

  async #watchAgain(roomId: RoomId): Promise<void> {
    try {
      await this.#watch(roomId, []);
    } catch (error) {
      if (!isForbiddance(error)) throw error;
      const server = this.#former.get(roomId)?.server ?? (await this.#candidates(roomId, []))[0];
      const isEnded = server && (await endIfClosed(this.#context, { roomId, server }));
      if (!isEnded) throw error;
    }
  }

  #retireAll(room: RoomDraft): void {
    for (const peek of this.#watched.of(room.roomId)) {
      const { server, peekId } = peek;
      room.log({ kind: 'RetireOutboundPeek', server, peekId });
      room.alsoWrite((tx) => deleteOutboundPeek(tx, peek));
      room.afterCommit(() => this.#watched.remove(peek));
    }
  }

  #failed(roomId: RoomId, error: unknown): void {
    this.#context.logger.info({ roomId, err: error }, 'a room that somebody looks into is not had');
    this.#attempts.failed(roomId);
  }
}
