// Receipts, typing and presence of this server's users, told to the servers that share a room with them.

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Presence, Receipt } from '../../eventlog/entries.ts';
import type { Logger } from '../../logger.ts';
import { entries } from '../../lru-entries.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { selectLivingHosts, selectLivingNeighbours, selectLocalMembers } from '../store/hosts.ts';
import type { Outbox, PassingEdu } from './outbox.ts';
import { PacedBatches } from './paced-batches.ts';

/** However many servers are in the room; ms. */
const LONGEST_PAUSE_MS = 30_000;
const LONGEST_TYPING_PAUSE_MS = 5_000;

/** Of a room, local users who are looked for to tell a server that has come of their presence. */
const MAX_INTRODUCED = 1_000;
const MAX_PRESENT = 20_000;

/** Who has come into a room. */
export interface Arrival {
  readonly roomId: RoomId;
  /** Destinations. */
  readonly hosts: readonly number[];
  /** Of this server. */
  readonly users: readonly UserId[];
}

interface TypingChange {
  readonly userId: UserId;
  readonly typing: boolean;
}

export interface PassingEdusOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbox: Outbox;
  readonly wake: (destinationIds: readonly number[]) => void;
}

export class PassingEdus {
  readonly #options: PassingEdusOptions;
  readonly #receipts: PacedBatches<RoomId, Receipt>;
  readonly #typing: PacedBatches<RoomId, TypingChange>;
  readonly #presence: PacedBatches<UserId, Presence>;
  /** Users of this server who are there. */
  readonly #present = new LRUCache<UserId, Presence>(entries(MAX_PRESENT));
  #introducing = 0;

  constructor(options: PassingEdusOptions) {
    this.#options = options;
    const paced = { ...options, longestPauseMs: LONGEST_PAUSE_MS };
    this.#receipts = new PacedBatches({
      ...paced,
      flush: (roomId, take) => this.#tellRoom(roomId, () => receiptEdus(roomId, take())),
    });
    this.#typing = new PacedBatches({
      ...paced,
      longestPauseMs: LONGEST_TYPING_PAUSE_MS,
      flush: (roomId, take) => this.#tellRoom(roomId, () => typingEdus(roomId, take())),
    });
    this.#presence = new PacedBatches({
      ...paced,
      flush: async (userId, take) => {
        const { database, clock } = options;
        const neighbours = await selectLivingNeighbours(database, userId);
        return this.#tell(neighbours, presenceEdus(userId, take(), clock.now()));
      },
    });
  }

  receipt(roomId: RoomId, receipt: Receipt): void {
    this.#receipts.add(roomId, `${receipt.userId}\0${receipt.threadId ?? ''}`, receipt);
  }

  typing(roomId: RoomId, change: TypingChange): void {
    this.#typing.add(roomId, change.userId, change);
  }

  presence(userId: UserId, presence: Presence): void {
    if (presence.presence === 'offline') this.#present.delete(userId);
    else this.#present.set(userId, presence);
    this.#presence.add(userId, '', presence);
  }

  /** Who meets for the first time is told who is there. */
  arrived(arrival: Arrival): void {
    this.#introducing += 1;
    this.#introduce(arrival)
      .catch((error: unknown) => {
        const { roomId } = arrival;
        this.#options.logger.warn({ roomId, err: error }, 'who has come is not told of others');
      })
      .finally(() => {
        this.#introducing -= 1;
      });
  }

  get isIdle(): boolean {
    if (this.#introducing > 0) return false;
    return this.#batches.every(({ isIdle }) => isIdle);
  }

  close(): void {
    for (const batches of this.#batches) batches.close();
  }

  get #batches() {
    return [this.#receipts, this.#typing, this.#presence];
  }

  async #introduce({ roomId, hosts, users }: Arrival): Promise<void> {
    if (this.#present.size === 0) return;
    const { database } = this.#options;
    if (hosts.length > 0) {
      const members = await selectLocalMembers(database, roomId, MAX_INTRODUCED);
      this.#tell(hosts, this.#presenceOf(members));
    }
    const edus = this.#presenceOf(users);
    if (edus.length > 0) this.#tell(await selectLivingHosts(database, roomId), edus);
  }

  #presenceOf(userIds: readonly UserId[]): PassingEdu[] {
    const now = this.#options.clock.now();
    return userIds.flatMap((userId) => {
      const presence = this.#present.get(userId);
      return presence === undefined ? [] : presenceEdus(userId, [presence], now);
    });
  }

  async #tellRoom(roomId: RoomId, take: () => PassingEdu[]): Promise<number> {
    const hosts = await selectLivingHosts(this.#options.database, roomId);
    return this.#tell(hosts, take());
  }

  #tell(destinations: readonly number[], edus: readonly PassingEdu[]): number {
    if (edus.length === 0) return 0;
    for (const id of destinations) this.#options.outbox.add(id, edus);
    this.#options.wake(destinations);
    return destinations.length;
  }
}

/** A user has one place for a receipt in each: those in several threads go one after another. */
export function receiptEdus(roomId: RoomId, receipts: readonly Receipt[]): PassingEdu[] {
  const rounds: Record<UserId, JsonObject>[] = [];
  for (const { userId, eventId, ts, threadId } of receipts) {
    const data = { ts, ...(threadId !== undefined && { thread_id: threadId }) };
    const free = rounds.find((round) => !(userId in round));
    const round = free ?? {};
    if (free === undefined) rounds.push(round);
    round[userId] = { event_ids: [eventId], data };
  }
  return rounds.map((users) => ({ type: 'm.receipt', content: { [roomId]: { 'm.read': users } } }));
}

function typingEdus(roomId: RoomId, changes: readonly TypingChange[]): PassingEdu[] {
  return changes.map(({ userId, typing }) => ({
    type: 'm.typing',
    content: { room_id: roomId, user_id: userId, typing },
  }));
}

function presenceEdus(userId: UserId, presences: readonly Presence[], now: number): PassingEdu[] {
  return presences.map(({ presence, statusMsg, lastActiveTs }) => ({
    type: 'm.presence',
    content: {
      push: [
        {
          user_id: userId,
          presence,
          ...(statusMsg !== undefined && { status_msg: statusMsg }),
          last_active_ago: Math.max(0, Math.trunc(now - lastActiveTs)),
          currently_active: presence === 'online',
        },
      ],
    },
  }));
}
