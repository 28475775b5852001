// A snapshot of a room's state is two persistent maps, members and the rest, so that what needs no members never
// touches them. Its id holds the ids of both roots: equal states of a room have equal ids.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { parseStateKey, stateKeyOf } from '../../protocol/stateres/state-key.ts';
import { EMPTY_NODE, type NodeId } from './node.ts';

const SEPARATOR = '~';

export interface SnapshotRoots {
  readonly rest: NodeId;
  readonly members: NodeId;
}

export function snapshotOf(roots: SnapshotRoots): StateSnapshotId {
  return `${roots.rest}${SEPARATOR}${roots.members}`;
}

export function rootsOf(snapshot: StateSnapshotId): SnapshotRoots {
  const at = snapshot.indexOf(SEPARATOR);
  return { rest: snapshot.slice(0, at), members: snapshot.slice(at + 1) };
}

export const EMPTY_STATE: StateSnapshotId = snapshotOf({ rest: EMPTY_NODE, members: EMPTY_NODE });

/** Where in a snapshot an entry is kept. */
export function placeOf(type: string, stateKey: string): [part: keyof SnapshotRoots, key: string] {
  return type === 'm.room.member' ? ['members', stateKey] : ['rest', stateKeyOf(type, stateKey)];
}

export function entryAt(
  part: keyof SnapshotRoots,
  key: string,
): { readonly type: string; readonly stateKey: string } {
  return part === 'members' ? { type: 'm.room.member', stateKey: key } : parseStateKey(key);
}
