// Receipts, typing and presence of this server's users, told to the servers that share a room with them.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Presence, Receipt } from '../../eventlog/entries.ts';
import type { Logger } from '../../logger.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { selectLivingHosts, selectLivingNeighbours } from '../store/hosts.ts';
import type { Outbox, PassingEdu } from './outbox.ts';
import { PacedBatches } from './paced-batches.ts';

/** However many servers are in the room; ms. */
const LONGEST_PAUSE_MS = 30_000;
const LONGEST_TYPING_PAUSE_MS = 5_000;

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
    this.#presence.add(userId, '', presence);
  }

  get isIdle(): boolean {
    return this.#batches.every(({ isIdle }) => isIdle);
  }

  close(): void {
    for (const batches of this.#batches) batches.close();
  }

  get #batches() {
    return [this.#receipts, this.#typing, this.#presence];
  }

  async #tellRoom(roomId: RoomId, take: () => PassingEdu[]): Promise<number> {
    const hosts = await selectLivingHosts(this.#options.database, roomId);
    return this.#tell(hosts, take());
  }

  #tell(destinations: readonly number[], edus: readonly PassingEdu[]): number {
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
