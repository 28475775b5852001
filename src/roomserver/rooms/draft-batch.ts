// The work that is done on a room under one hold of its lock: the head as it will be, and all that one
// transaction has to write for it.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { PendingNode, RoomStates } from '../state/room-states.ts';
import type { StateStore } from '../state/state-store.ts';
import { type DraftChanges, mergeChanges, noChanges } from './draft-changes.ts';
import { type DraftSources, RoomDraft } from './room-draft.ts';
import type { RoomHead } from './room-head.ts';

export interface BatchSources extends Pick<DraftSources, 'database' | 'events' | 'transactions'> {
  readonly states: StateStore;
}

export class DraftBatch {
  head: RoomHead;
  readonly changes: DraftChanges = noChanges();
  /** The room's head and members go, instead of being written. */
  isRemoved = false;
  readonly #base: RoomHead;
  readonly #sources: BatchSources;
  readonly #states: RoomStates;

  constructor(head: RoomHead, sources: BatchSources) {
    this.#base = head;
    this.head = head;
    this.#sources = sources;
    this.#states = sources.states.ofRoom(head.roomId);
  }

  get newNodes(): ReadonlyMap<string, PendingNode> {
    return this.#states.pending;
  }

  get newResolutions(): ReadonlyMap<string, StateSnapshotId> {
    return this.#states.resolutions;
  }

  get hasNewHead(): boolean {
    return this.head !== this.#base;
  }

  /** Whether there is anything to write. */
  get isEmpty(): boolean {
    const { changes } = this;
    if (this.hasNewHead || this.isRemoved) return false;
    return Object.values(changes).every((part: Iterable<unknown>) => {
      for (const _ of part) return false;
      return true;
    });
  }

  /** Runs one piece of work. When it throws, nothing of what it did remains. */
  async run<T>(work: (room: RoomDraft) => Promise<T>): Promise<T> {
    const { database, events, transactions } = this.#sources;
    const draft = new RoomDraft(this.head, {
      database,
      events,
      transactions,
      states: this.#states,
      earlier: this.changes,
    });
    const nodes = this.#states.pending.size;
    try {
      const value = await work(draft);
      mergeChanges(this.changes, draft.changes);
      this.head = draft.head;
      this.isRemoved = draft.isRemoved;
      return value;
    } catch (error) {
      this.#states.dropPending(nodes);
      throw error;
    }
  }
}
