// Operations on the persistent map. All of them cost what they touch or what differs, not what the map holds.

import { setImmediate } from 'node:timers/promises';
import {
  BRANCHES,
  branchNumber,
  EMPTY_LEAF,
  EMPTY_NODE,
  LEAF_CAPACITY,
  type Leaf,
  type NodeId,
  pathOf,
  type StateNode,
} from './node.ts';

/** Whole states are made of as many as there are members: others have their turn meanwhile. */
const ENTRIES_PER_TURN = 1_000;

/** Where nodes come from and go to. */
export interface NodeSpace {
  node(id: NodeId): StateNode | Promise<StateNode>;
  put(node: StateNode): NodeId;
  /** Told of nodes that are about to be asked for one by one. */
  preload(ids: readonly NodeId[]): Promise<void>;
}

export type MapEntry = readonly [key: string, value: string];

/** `undefined` removes the key. */
export type MapChange = readonly [key: string, value: string | undefined];

export type MapDifference = readonly [
  key: string,
  from: string | undefined,
  to: string | undefined,
];

export async function lookUp(
  space: NodeSpace,
  root: NodeId,
  key: string,
): Promise<string | undefined> {
  let id = root;
  let path: string | undefined;
  for (let depth = 0; id !== EMPTY_NODE; depth++) {
    const found = space.node(id);
    const node = found instanceof Promise ? await found : found;
    if (node.children === undefined) return node.values[node.keys.indexOf(key)];
    path ??= pathOf(key);
    id = node.children[branchNumber(path, depth)] ?? EMPTY_NODE;
  }
  return undefined;
}

/** The map with the changes made; a later change of a key overrides an earlier one. */
export async function change(
  space: NodeSpace,
  root: NodeId,
  changes: readonly MapChange[],
): Promise<NodeId> {
  const last = new Map(changes);
  const steps = [...last].map(([key, value]) => ({ key, value, path: undefined }));
  return (await changeAt(space, { id: root, depth: 0 }, steps)).id;
}

interface Step {
  readonly key: string;
  readonly value: string | undefined;
  /** Found when a branch asks for it. */
  path: string | undefined;
}

interface Place {
  readonly id: NodeId;
  readonly depth: number;
}

interface Changed {
  readonly id: NodeId;
  readonly size: number;
  readonly grownBy: number;
}

async function changeAt(
  space: NodeSpace,
  { id, depth }: Place,
  steps: readonly Step[],
): Promise<Changed> {
  const node = id === EMPTY_NODE ? EMPTY_LEAF : await space.node(id);
  if (node.children === undefined) {
    const entries = merge(node, steps);
    const changed = await build(space, entries, depth);
    return { id: changed, size: entries.length, grownBy: entries.length - node.size };
  }
  const children = [...node.children];
  let grownBy = 0;
  for (const [number, below] of groupByBranch(steps, depth)) {
    const child = { id: children[number] ?? EMPTY_NODE, depth: depth + 1 };
    const changed = await changeAt(space, child, below);
    children[number] = changed.id;
    grownBy += changed.grownBy;
  }
  const size = node.size + grownBy;
  if (size > LEAF_CAPACITY) return { id: space.put({ children, size }), size, grownBy };
  const left: Step[] = [];
  for (const child of children) {
    for (const [key, value] of await entriesOf(space, child))
      left.push({ key, value, path: undefined });
  }
  return { id: await build(space, merge(EMPTY_LEAF, left), depth), size, grownBy };
}

function groupByBranch(steps: readonly Step[], depth: number): Map<number, Step[]> {
  const groups = new Map<number, Step[]>();
  for (const step of steps) {
    step.path ??= pathOf(step.key);
    const number = branchNumber(step.path, depth);
    const group = groups.get(number);
    if (group === undefined) groups.set(number, [step]);
    else group.push(step);
  }
  return groups;
}

interface PresentStep extends Step {
  readonly value: string;
}

/** The entries of a leaf with the steps made, in order of keys. */
function merge(leaf: Leaf, steps: readonly Step[]): PresentStep[] {
  const entries = new Map<string, Step>();
  leaf.keys.forEach((key, i) => {
    entries.set(key, { key, value: leaf.values[i], path: undefined });
  });
  for (const step of steps) entries.set(step.key, step);
  return [...entries.values()].filter(isPresent).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function isPresent(step: Step): step is PresentStep {
  return step.value !== undefined;
}

/** A subtree of sorted entries. */
async function build(
  space: NodeSpace,
  entries: readonly PresentStep[],
  depth: number,
): Promise<NodeId> {
  if (entries.length <= ENTRIES_PER_TURN) return buildAtOnce(space, entries, depth);
  const children = new Array<NodeId>(BRANCHES).fill(EMPTY_NODE);
  for (const [number, below] of groupByBranch(entries, depth)) {
    children[number] = await build(space, below as PresentStep[], depth + 1);
    await setImmediate();
  }
  return space.put({ children, size: entries.length });
}

function buildAtOnce(space: NodeSpace, entries: readonly PresentStep[], depth: number): NodeId {
  if (entries.length === 0) return EMPTY_NODE;
  if (entries.length <= LEAF_CAPACITY) {
    const keys = entries.map(({ key }) => key);
    return space.put({ keys, values: entries.map(({ value }) => value), size: keys.length });
  }
  const children = new Array<NodeId>(BRANCHES).fill(EMPTY_NODE);
  for (const [number, below] of groupByBranch(entries, depth)) {
    children[number] = buildAtOnce(space, below as PresentStep[], depth + 1);
  }
  return space.put({ children, size: entries.length });
}

/** All entries, or `limit` of them, in no particular order, which is the same for equal maps. */
export async function entriesOf(
  space: NodeSpace,
  root: NodeId,
  limit = Number.POSITIVE_INFINITY,
): Promise<MapEntry[]> {
  if (root === EMPTY_NODE) return [];
  const node = await space.node(root);
  if (node.children === undefined) {
    return node.keys.map((key, i) => [key, node.values[i] as string] as const).slice(0, limit);
  }
  const parts: MapEntry[][] = [];
  if (limit >= node.size) await space.preload(node.children);
  let left = limit;
  for (const child of node.children) {
    if (left <= 0) break;
    const part = await entriesOf(space, child, left);
    left -= part.length;
    parts.push(part);
  }
  return parts.flat();
}

export async function sizeOf(space: NodeSpace, root: NodeId): Promise<number> {
  return root === EMPTY_NODE ? 0 : (await space.node(root)).size;
}

/** The keys whose values differ. Subtrees that both maps share are not visited. */
export async function diff(space: NodeSpace, a: NodeId, b: NodeId): Promise<MapDifference[]> {
  if (a === b) return [];
  const left = a === EMPTY_NODE ? EMPTY_LEAF : await space.node(a);
  const right = b === EMPTY_NODE ? EMPTY_LEAF : await space.node(b);
  if (left.children === undefined || right.children === undefined) {
    return differences(await entriesOf(space, a), await entriesOf(space, b));
  }
  const parts: MapDifference[][] = [];
  for (let i = 0; i < BRANCHES; i++) {
    const pair = [left.children[i] ?? EMPTY_NODE, right.children[i] ?? EMPTY_NODE] as const;
    if (pair[0] !== pair[1]) parts.push(await diff(space, ...pair));
  }
  return parts.flat();
}

function differences(a: readonly MapEntry[], b: readonly MapEntry[]): MapDifference[] {
  const right = new Map(b);
  const found: MapDifference[] = [];
  for (const [key, from] of a) {
    const to = right.get(key);
    right.delete(key);
    if (to !== from) found.push([key, from, to]);
  }
  for (const [key, to] of right) found.push([key, undefined, to]);
  return found;
}
