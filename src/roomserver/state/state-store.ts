// Stored state nodes behind a bounded cache. A node in the cache is in the database, too.

import { LRUCache } from 'lru-cache';
import type { Database } from '../../database/database.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { selectNodes } from '../store/state-nodes.ts';
import { decodeNode, type NodeId, type StateNode } from './node.ts';
import { type PendingNode, RoomStates } from './room-states.ts';

const MAX_RESOLUTIONS = 5_000;
/** In characters of stored content; a node takes about thrice as much memory. */
const CACHE_SIZE = 16 * 1024 * 1024;

export class StateStore {
  readonly #database: Database;
  readonly #cache = new LRUCache<NodeId, StateNode>({ maxSize: CACHE_SIZE });
  readonly #resolutions = new LRUCache<string, StateSnapshotId>(entries(MAX_RESOLUTIONS));
  /** Rises when rows are deleted: what was being read then must not be cached. */
  #era = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The room's snapshots; each caller that makes new ones has its own. */
  ofRoom(roomId: RoomId): RoomStates {
    return new RoomStates(this, roomId);
  }

  node(roomId: RoomId, id: NodeId): StateNode | Promise<StateNode> {
    return this.#cache.get(id) ?? this.#loadOne(roomId, id);
  }

  /** Brings those that are not cached with one statement. */
  async preload(roomId: RoomId, ids: readonly NodeId[]): Promise<void> {
    const absent = ids.filter((id) => !this.#cache.has(id));
    if (absent.length > 1) await this.#load(roomId, absent);
  }

  /** Whether the node is known to be stored. */
  isKnown(id: NodeId): boolean {
    return this.#cache.has(id);
  }

  /** To be called after COMMIT only. */
  remember(nodes: Iterable<readonly [NodeId, PendingNode]>): void {
    for (const [id, { node, content }] of nodes)
      this.#cache.set(id, node, { size: content.length });
  }

  resolution(key: string): StateSnapshotId | undefined {
    return this.#resolutions.get(key);
  }

  /** To be called after COMMIT only. */
  rememberResolutions(resolutions: ReadonlyMap<string, StateSnapshotId>): void {
    for (const [key, resolved] of resolutions) this.#resolutions.set(key, resolved);
  }

  /** After rows have been deleted: what is cached may not be stored any more. */
  forgetAll(): void {
    this.#era++;
    this.#cache.clear();
    this.#resolutions.clear();
  }

  async #loadOne(roomId: RoomId, id: NodeId): Promise<StateNode> {
    const node = (await this.#load(roomId, [id])).get(id);
    if (node === undefined) throw new Error(`state node ${id} of ${roomId} is not stored`);
    return node;
  }

  async #load(roomId: RoomId, ids: readonly NodeId[]): Promise<Map<NodeId, StateNode>> {
    const era = this.#era;
    const loaded = new Map<NodeId, StateNode>();
    for (const { node_id, content } of await selectNodes(this.#database, roomId, ids)) {
      const node = decodeNode(content);
      loaded.set(node_id, node);
      if (era === this.#era) this.#cache.set(node_id, node, { size: content.length });
    }
    return loaded;
  }
}
