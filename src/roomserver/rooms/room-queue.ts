// Rooms behind their locks. Work that waits for the same room is done as one batch on one draft and committed at
// once; batches of different rooms that are ready together share a transaction.

import { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import type { EventLog } from '../../eventlog/eventlog.ts';
import { entries } from '../../lru-entries.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { TransactionKey } from '../api.ts';
import type { Events } from '../events.ts';
import type { StateStore } from '../state/state-store.ts';
import { selectHead } from '../store/rooms.ts';
import type { TransactionIds } from '../store/transactions.ts';
import { CommitWriter } from './commit-writer.ts';
import { DraftBatch } from './draft-batch.ts';
import { emptyHead, type RoomHead } from './room-head.ts';
import type { Committed, NewRoom, Rooms, RoomWork } from './rooms.ts';
import { RecentTransactions, RepeatedTransaction } from './sent-transactions.ts';

const MAX_CACHED_HEADS = 10_000;
/** Bounds how much is undone by one failing COMMIT. */
const MAX_WORK_PER_BATCH = 100;

export interface RoomQueueOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly events: Events;
  readonly states: StateStore;
  readonly now: () => number;
  readonly transactionIds: TransactionIds;
  /** Rows are left of a room that is gone. */
  readonly isSweeping: (roomId: RoomId) => boolean;
  /** After COMMIT: the first local user has joined, or the last has left. */
  readonly onResidence: (roomId: RoomId, isResident: boolean) => void;
}

interface Task {
  readonly work: RoomWork<unknown>;
  /** Set when the task makes the room. */
  readonly newRoom: NewRoom | undefined;
  readonly resolve: (committed: Committed<unknown> | Promise<Committed<unknown>>) => void;
  readonly reject: (error: unknown) => void;
}

/** Given soon after COMMIT; not waited for under the lock. */
type Position = number | Promise<number>;

/** A committed head, and where the log was when it was. */
interface Cached {
  readonly head: RoomHead;
  readonly position: Position;
}

type Outcome = (position: Position) => void;

interface BatchRun {
  readonly batch: DraftBatch | undefined;
  readonly outcomes: readonly Outcome[];
}

export class RoomQueue implements Rooms {
  readonly #options: RoomQueueOptions;
  readonly #writer: CommitWriter;
  readonly #heads = new LRUCache<RoomId, Cached>(entries(MAX_CACHED_HEADS));
  readonly #transactions = new RecentTransactions();
  /** Rooms whose lock is held, with what waits for it. */
  readonly #waiting = new Map<RoomId, Task[]>();
  readonly #busy = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: RoomQueueOptions) {
    this.#options = options;
    this.#writer = new CommitWriter(options);
  }

  async head(roomId: RoomId): Promise<RoomHead | undefined> {
    const cached = this.#heads.get(roomId);
    if (cached !== undefined) return cached.head;
    // Read under the lock, so that what is cached is never older than what is committed.
    const look = async () => this.#heads.get(roomId)?.head;
    return (await this.#enqueue(roomId, look, undefined).catch(undefinedIfUnknown))?.value;
  }

  change<T>(roomId: RoomId, work: RoomWork<T>): Promise<Committed<T>> {
    return this.#enqueue(roomId, work, undefined);
  }

  create<T>(room: NewRoom, work: RoomWork<T>): Promise<Committed<T>> {
    return this.#enqueue(room.roomId, work, room);
  }

  /** Refuses new work and waits for what has begun. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#busy);
  }

  #enqueue<T>(roomId: RoomId, work: RoomWork<T>, newRoom: NewRoom | undefined) {
    return new Promise<Committed<T>>((resolve, reject) => {
      if (this.#isClosed) throw new Error('the roomserver is closed');
      const task = { work, newRoom, resolve: resolve as Task['resolve'], reject };
      const waiting = this.#waiting.get(roomId);
      if (waiting !== undefined) {
        waiting.push(task);
        return;
      }
      const tasks = [task];
      this.#waiting.set(roomId, tasks);
      const done = this.#drain(roomId, tasks).finally(() => this.#busy.delete(done));
      this.#busy.add(done);
    });
  }

  async #drain(roomId: RoomId, tasks: Task[]): Promise<void> {
    while (tasks.length > 0) await this.#runBatch(roomId, tasks);
    this.#waiting.delete(roomId);
  }

  /** `isRepeated`: the batch has been tried, and there is a transaction in it that was sent before. */
  async #runBatch(roomId: RoomId, tasks: Task[], isRepeated = false): Promise<void> {
    const begun: Task[] = [];
    try {
      const cached = this.#heads.get(roomId) ?? (await this.#load(roomId));
      const start = cached && this.#newBatch(cached.head, isRepeated);
      const { batch, outcomes } = await this.#runTasks(tasks, begun, start);
      let position = cached?.position ?? 0;
      if (batch !== undefined && !batch.isEmpty) {
        const ticket = await this.#writer.write(batch, () => this.#afterCommit(batch, position));
        if (ticket !== undefined) position = this.#options.eventLog.position(ticket);
        if (!batch.isRemoved) this.#heads.set(roomId, { head: batch.head, position });
        this.#tellResidence(batch, cached?.head);
      }
      for (const tell of outcomes) tell(position);
    } catch (error) {
      if (error instanceof RepeatedTransaction && !isRepeated) {
        tasks.unshift(...begun);
        return this.#runBatch(roomId, tasks, true);
      }
      this.#heads.delete(roomId);
      for (const task of begun.length > 0 ? begun : tasks.splice(0)) task.reject(error);
    }
  }

  #tellResidence({ head, isRemoved }: DraftBatch, before: RoomHead | undefined): void {
    const was = (before?.localMembers ?? 0) > 0;
    const is = head.localMembers > 0;
    if (was !== is && !isRemoved) this.#options.onResidence(head.roomId, is);
  }

  /** Takes tasks from the queue into `begun`. Refusals wait for COMMIT like all else: what they had seen may be undone. */
  async #runTasks(tasks: Task[], begun: Task[], start: DraftBatch | undefined): Promise<BatchRun> {
    let batch = start;
    const outcomes: Outcome[] = [];
    while (begun.length < MAX_WORK_PER_BATCH && !batch?.isRemoved) {
      const task = tasks.shift();
      if (task === undefined) break;
      begun.push(task);
      try {
        const target = this.#batchFor(task, batch);
        const value = await target.run(task.work);
        batch = target;
        outcomes.push((position) => task.resolve(answer(value, position)));
      } catch (error) {
        outcomes.push(() => task.reject(error));
      }
    }
    return { batch, outcomes };
  }

  #batchFor(task: Task, batch: DraftBatch | undefined): DraftBatch {
    if (task.newRoom !== undefined) {
      if (batch !== undefined) throw new MatrixError('M_ROOM_IN_USE', 'There is a room of that id');
      if (this.#options.isSweeping(task.newRoom.roomId)) {
        throw new MatrixError('M_ROOM_IN_USE', 'The room of that id is still being removed');
      }
      return this.#newBatch(emptyHead(task.newRoom), false);
    }
    if (batch === undefined) throw new MatrixError('M_NOT_FOUND', 'No such room');
    return batch;
  }

  #newBatch(head: RoomHead, isRepeated: boolean): DraftBatch {
    const recent = (key: TransactionKey) => this.#transactions.get(key);
    return new DraftBatch(head, { ...this.#options, transactions: { recent, isRepeated } });
  }

  async #load(roomId: RoomId): Promise<Cached | undefined> {
    const head = await selectHead(this.#options.database, roomId);
    if (head === undefined) return undefined;
    const position = await this.#options.eventLog.head('roomserver.output');
    const cached = { head, position };
    this.#heads.set(roomId, cached);
    return cached;
  }

  #afterCommit(batch: DraftBatch, position: Position): void {
    const { events, states } = this.#options;
    const { changes, head } = batch;
    if (batch.isRemoved) {
      this.#heads.delete(head.roomId);
      events.forgetAll();
      states.forgetAll();
    } else {
      this.#heads.set(head.roomId, { head, position });
      states.remember(batch.newNodes);
      states.rememberResolutions(batch.newResolutions);
      for (const record of changes.events.values()) events.remember(record);
      for (const record of changes.updated.values()) events.remember(record);
    }
    for (const sent of changes.transactions) this.#transactions.remember(sent);
    for (const effect of changes.effects) effect();
  }
}

async function answer(value: unknown, position: Position): Promise<Committed<unknown>> {
  return { value, position: await position };
}

function undefinedIfUnknown(error: unknown): undefined {
  if (error instanceof MatrixError && error.errcode === 'M_NOT_FOUND') return undefined;
  throw error;
}
