// The state of each room as of the last row that was written of it.

import { LRUCache } from 'lru-cache';
import type { Transaction } from '../../database/database.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { selectLatestRows } from '../store/timeline.ts';

const MAX_ROOMS = 10_000;

export class RoomHeads {
  readonly #known = new LRUCache<RoomId, StateSnapshotId>(entries(MAX_ROOMS));

  /** Rooms without a row are left out. */
  async read(tx: Transaction, roomIds: ReadonlySet<RoomId>): Promise<Map<RoomId, StateSnapshotId>> {
    const heads = new Map<RoomId, StateSnapshotId>();
    const unknown: RoomId[] = [];
    for (const roomId of roomIds) {
      const head = this.#known.get(roomId);
      if (head === undefined) unknown.push(roomId);
      else heads.set(roomId, head);
    }
    if (unknown.length === 0) return heads;
    for (const row of await selectLatestRows(tx, unknown)) heads.set(row.roomId, row.currentState);
    return heads;
  }

  /** Call it after COMMIT. */
  set(roomId: RoomId, head: StateSnapshotId): void {
    this.#known.set(roomId, head);
  }

  delete(roomId: RoomId): void {
    this.#known.delete(roomId);
  }
}
