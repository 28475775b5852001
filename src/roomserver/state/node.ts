// Nodes of the persistent map: a hash trie of 16-way branches over leaves of up to 16 entries. Its shape follows
// from its content alone, and a node's id is the hash of its content: equal maps are the same node.

import { hash } from 'node:crypto';
import type { RoomId } from '../../protocol/identifiers.ts';

/** '' is the empty map, which is never stored. */
export type NodeId = string;
export const EMPTY_NODE: NodeId = '';

export const LEAF_CAPACITY = 16;
export const BRANCHES = 16;

/** Sorted by key. */
export interface Leaf {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly children?: undefined;
  readonly size: number;
}

/** More than `LEAF_CAPACITY` entries; a child is '' or the node of the entries whose path has its number here. */
export interface Branch {
  readonly children: readonly NodeId[];
  /** Number of entries below. */
  readonly size: number;
}

export type StateNode = Leaf | Branch;

export const EMPTY_LEAF: Leaf = { keys: [], values: [], size: 0 };

/** The way to a key, one hexadecimal digit per level. Hashed, since keys are chosen by strangers. */
export function pathOf(key: string): string {
  return hash('sha256', key, 'hex');
}

export function branchNumber(path: string, depth: number): number {
  const code = path.charCodeAt(depth);
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

/** The stored form. A leaf is an array of keys and values in turn, a branch its size and its children. */
export function encodeNode(node: StateNode): string {
  if (node.children !== undefined) return `${node.size}|${node.children.join(',')}`;
  return JSON.stringify(node.keys.flatMap((key, i) => [key, node.values[i]]));
}

export function decodeNode(content: string): StateNode {
  if (!content.startsWith('[')) {
    const bar = content.indexOf('|');
    return { size: Number(content.slice(0, bar)), children: content.slice(bar + 1).split(',') };
  }
  const flat = JSON.parse(content) as string[];
  const keys = flat.filter((_, i) => i % 2 === 0);
  const values = flat.filter((_, i) => i % 2 === 1);
  return { keys, values, size: keys.length };
}

/**
 * 144 bits, so that nobody finds two states with one id. Salted with the room, since nodes are stored per room.
 */
export function nodeIdOf(roomId: RoomId, content: string): NodeId {
  return hash('sha256', `${roomId}\n${content}`, 'base64url').slice(0, 24);
}
