// Brings what has changed of users into their rooms. A change is a row until all its rooms have been seen to, and
// what is done already is found done, so that after a crash it is simply done again.

import type { RoomserverContext } from '../context.ts';
import { deleteUserChange, selectUserChanges, type UserChange } from '../store/user-changes.ts';
import { leaveAllRooms } from './leave-all-rooms.ts';
import { updateProfile } from './update-profile.ts';

/** Users seen to at the same time, so that one who is in very many rooms does not hold up the others. */
const USERS_AT_ONCE = 8;
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 600_000;

export class UserChangeWorker {
  readonly #context: RoomserverContext;
  #work: Promise<void> | undefined;
  #isWoken = false;
  #isClosed = false;
  /** Doubles with every retry, not with every failure: else a busy server would wait long after a short outage. */
  #pause = FIRST_PAUSE_MS;
  #cancelRetry: (() => void) | undefined;

  constructor(context: RoomserverContext) {
    this.#context = context;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isClosed) return;
    this.#work ??= this.#run();
  }

  /** Resolves when there is nothing to do that could be done now. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    await this.#work;
  }

  async #run(): Promise<void> {
    let isDone = true;
    while (this.#isWoken && !this.#isClosed) {
      this.#isWoken = false;
      isDone = await this.#pass();
    }
    this.#work = undefined;
    if (!isDone) return this.#retryLater();
    this.#pause = FIRST_PAUSE_MS;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  /** One that is due already stays: what wakes the worker often must not put it off. */
  #retryLater(): void {
    if (this.#isClosed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#context.clock.schedule(this.#pause, () => {
      this.#cancelRetry = undefined;
      this.#pause = Math.min(this.#pause * 2, LAST_PAUSE_MS);
      this.wake();
    });
  }

  /** Sees to each change once. Returns whether all are done. */
  async #pass(): Promise<boolean> {
    let isDone = true;
    let position = 0;
    try {
      while (!this.#isClosed) {
        const changes = await selectUserChanges(this.#context.database, position, USERS_AT_ONCE);
        const [last] = changes.slice(-1);
        if (last === undefined) break;
        position = last.position;
        const results = await Promise.all(changes.map((change) => this.#see(change)));
        isDone &&= results.every(Boolean);
      }
    } catch (error) {
      this.#context.logger.error({ err: error }, 'changes of users could not be read');
      return false;
    }
    return isDone;
  }

  async #see(change: UserChange): Promise<boolean> {
    const { database, logger } = this.#context;
    const { userId, kind } = change;
    const isGoingOn = () => !this.#isClosed;
    try {
      const carryOut = kind === 'profile' ? updateProfile : leaveAllRooms;
      if (!(await carryOut(this.#context, change, isGoingOn))) return false;
      await database.transact((tx) => deleteUserChange(tx, change));
      return true;
    } catch (error) {
      logger.error({ userId, kind, err: error }, 'a change of a user did not reach all rooms');
      return false;
    }
  }
}
