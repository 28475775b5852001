// The snapshots of one room: what is stored, and, in a draft, what has been made but not committed.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { StateEntry, StateEntryChange } from '../api.ts';
import { EMPTY_NODE, encodeNode, type NodeId, nodeIdOf, type StateNode } from './node.ts';
import { entryAt, placeOf, rootsOf, type SnapshotRoots, snapshotOf } from './snapshot.ts';
import { change, diff, entriesOf, lookUp, type MapChange, type NodeSpace } from './state-map.ts';
import type { StateStore } from './state-store.ts';

/** A node that the draft's transaction has to write. */
export interface PendingNode {
  readonly node: StateNode;
  readonly content: string;
}

export interface StateAssignment {
  readonly type: string;
  readonly stateKey: string;
  /** Absent: the key goes. */
  readonly eventId?: EventId | undefined;
}

const PARTS: readonly (keyof SnapshotRoots)[] = ['rest', 'members'];

export class RoomStates implements NodeSpace {
  readonly pending: Map<NodeId, PendingNode> = new Map();
  /** What state resolution has made of several states, with these nodes. */
  readonly resolutions: Map<string, StateSnapshotId> = new Map();
  readonly #roomId: RoomId;
  readonly #store: StateStore;

  constructor(store: StateStore, roomId: RoomId) {
    this.#store = store;
    this.#roomId = roomId;
  }

  node(id: NodeId): StateNode | Promise<StateNode> {
    return this.pending.get(id)?.node ?? this.#store.node(this.#roomId, id);
  }

  put(node: StateNode): NodeId {
    const content = encodeNode(node);
    const id = nodeIdOf(this.#roomId, content);
    if (!this.#store.isKnown(id)) this.pending.set(id, { node, content });
    return id;
  }

  /** Takes back all but the first `kept` pending nodes. */
  dropPending(kept: number): void {
    for (const id of [...this.pending.keys()].slice(kept)) this.pending.delete(id);
    // They may rest on the nodes that have gone.
    this.resolutions.clear();
  }

  preload(ids: readonly NodeId[]): Promise<void> {
    const stored = ids.filter((id) => id !== EMPTY_NODE && !this.pending.has(id));
    return this.#store.preload(this.#roomId, stored);
  }

  /** What these states were resolved to before, in whatever order. */
  resolutionOf(snapshots: readonly StateSnapshotId[]): StateSnapshotId | undefined {
    const key = resolutionKey(snapshots);
    return this.resolutions.get(key) ?? this.#store.resolution(key);
  }

  rememberResolution(snapshots: readonly StateSnapshotId[], resolved: StateSnapshotId): void {
    this.resolutions.set(resolutionKey(snapshots), resolved);
  }

  get(snapshot: StateSnapshotId, type: string, stateKey: string): Promise<EventId | undefined> {
    const [part, key] = placeOf(type, stateKey);
    return lookUp(this, rootsOf(snapshot)[part], key) as Promise<EventId | undefined>;
  }

  async set(
    snapshot: StateSnapshotId,
    assignments: readonly StateAssignment[],
  ): Promise<StateSnapshotId> {
    const changes: Record<keyof SnapshotRoots, MapChange[]> = { rest: [], members: [] };
    for (const { type, stateKey, eventId } of assignments) {
      const [part, key] = placeOf(type, stateKey);
      changes[part].push([key, eventId]);
    }
    const roots = { ...rootsOf(snapshot) };
    for (const part of PARTS) {
      if (changes[part].length > 0) roots[part] = await change(this, roots[part], changes[part]);
    }
    return snapshotOf(roots);
  }

  /** What leads from one snapshot to the other; members last. Costs what differs. */
  async diff(from: StateSnapshotId, to: StateSnapshotId): Promise<StateEntryChange[]> {
    if (from === to) return [];
    const before = rootsOf(from);
    const after = rootsOf(to);
    const changes: StateEntryChange[] = [];
    for (const part of PARTS) {
      for (const [key, old, now] of await diff(this, before[part], after[part])) {
        changes.push({
          ...entryAt(part, key),
          ...(old !== undefined && { from: old as EventId }),
          ...(now !== undefined && { to: now as EventId }),
        });
      }
    }
    return changes;
  }

  /** `limit`: so many of them, whichever. */
  async entries(
    snapshot: StateSnapshotId,
    members: 'all' | 'none' | 'only',
    limit = Number.POSITIVE_INFINITY,
  ): Promise<StateEntry[]> {
    const roots = rootsOf(snapshot);
    const result: StateEntry[] = [];
    for (const part of PARTS) {
      if (members === (part === 'members' ? 'none' : 'only')) continue;
      for (const [key, value] of await entriesOf(this, roots[part], limit - result.length)) {
        result.push({ ...entryAt(part, key), eventId: value as EventId });
      }
    }
    return result;
  }
}

/** Snapshots of different rooms have different ids. */
function resolutionKey(snapshots: readonly StateSnapshotId[]): string {
  return snapshots.toSorted().join(' ');
}
