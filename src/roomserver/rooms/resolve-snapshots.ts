// State resolution over snapshots. Conflicts are found by comparing the maps, so that what all states share is not
// looked at; the events that the rules may ask for are loaded before the pure algorithm runs.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { authTypesFor } from '../../protocol/auth/auth-types.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import { withAuthChain } from '../../protocol/stateres/auth-chain.ts';
import { resolveState } from '../../protocol/stateres/resolve.ts';
import { parseStateKey, type StateKey, stateKeyOf } from '../../protocol/stateres/state-key.ts';
import type { EventRecord } from '../event-record.ts';
import { type EventMap, loadAuthChains } from './auth-chains.ts';
import type { RoomDraft } from './room-draft.ts';

/** One snapshot for many. The order of `snapshots` has no influence. */
export async function resolveSnapshots(
  room: RoomDraft,
  snapshots: readonly StateSnapshotId[],
): Promise<StateSnapshotId> {
  const [base, ...others] = new Set(snapshots);
  if (base === undefined) throw new Error('no states to resolve');
  if (others.length === 0) return base;
  const known = room.states.resolutionOf([base, ...others]);
  if (known !== undefined) return known;
  const resolved = await resolve(room, base, others);
  room.states.rememberResolution([base, ...others], resolved);
  return resolved;
}

async function resolve(
  room: RoomDraft,
  base: StateSnapshotId,
  others: readonly StateSnapshotId[],
): Promise<StateSnapshotId> {
  const sets = await conflictingSets(room, base, others);
  const conflicted = conflictsOf(sets);
  const universe = await loadUniverse(room, base, conflicted);
  const unconflicted = await unconflictedValues(room, base, { conflicted, universe });
  const authDifference =
    room.rules.stateResolution === 'v1'
      ? new Set<EventId>()
      : await authDifferenceOf(room, sets, { base, conflicted, universe });
  const resolved = resolveState({
    rules: room.rules,
    unconflicted: (key) => unconflicted.get(key),
    conflicted,
    authDifference,
    event: (id) => recordIn(universe, id).pdu,
    isRejected: (id) => recordIn(universe, id).standing === 'rejected',
  });
  const keys = new Set([...conflicted.keys(), ...resolved.keys()]);
  const assignments = Array.from(keys, (key) => ({
    ...parseStateKey(key),
    eventId: resolved.get(key),
  }));
  return room.states.set(base, assignments);
}

type StateSet = ReadonlyMap<StateKey, EventId>;

/** Of each state, the part that is not the same in all of them. */
async function conflictingSets(
  room: RoomDraft,
  base: StateSnapshotId,
  others: readonly StateSnapshotId[],
): Promise<StateSet[]> {
  const baseValues = new Map<StateKey, EventId | undefined>();
  const deviations: Map<StateKey, EventId | undefined>[] = [];
  for (const other of others) {
    const deviation = new Map<StateKey, EventId | undefined>();
    for (const { type, stateKey, from, to } of await room.states.diff(base, other)) {
      const key = stateKeyOf(type, stateKey);
      baseValues.set(key, from);
      deviation.set(key, to);
    }
    deviations.push(deviation);
  }
  return [new Map(), ...deviations].map((deviation) => {
    const set = new Map<StateKey, EventId>();
    for (const [key, inBase] of baseValues) {
      const value = deviation.has(key) ? deviation.get(key) : inBase;
      if (value !== undefined) set.set(key, value);
    }
    return set;
  });
}

function conflictsOf(sets: readonly StateSet[]): Map<StateKey, EventId[]> {
  const conflicts = new Map<StateKey, EventId[]>();
  for (const set of sets) {
    for (const [key, id] of set) {
      const ids = conflicts.get(key);
      if (ids === undefined) conflicts.set(key, [id]);
      else if (!ids.includes(id)) ids.push(id);
    }
  }
  return conflicts;
}

/** Settings whose own auth chains the algorithms follow. */
const SETTINGS = ['m.room.create', 'm.room.power_levels', 'm.room.join_rules'];

/** The conflicted events and the settings, with their auth chains. */
async function loadUniverse(
  room: RoomDraft,
  base: StateSnapshotId,
  conflicted: ReadonlyMap<StateKey, readonly EventId[]>,
): Promise<EventMap> {
  const start = new Set([...conflicted.values()].flat());
  for (const type of SETTINGS) {
    const id = await room.states.get(base, type, '');
    if (id !== undefined) start.add(id);
  }
  return loadAuthChains(room, start);
}

interface Conflict {
  readonly conflicted: ReadonlyMap<StateKey, readonly EventId[]>;
  readonly universe: EventMap;
}

/** The unconflicted values of all keys that an event of the universe has or is authorized by; their events are added. */
async function unconflictedValues(
  room: RoomDraft,
  base: StateSnapshotId,
  { conflicted, universe }: Conflict,
): Promise<Map<StateKey, EventId>> {
  const keys = new Set<StateKey>();
  for (const { pdu } of universe.values()) {
    for (const { type, stateKey } of authTypesFor(pdu, room.rules)) {
      keys.add(stateKeyOf(type, stateKey));
    }
    if (pdu.stateKey !== undefined) keys.add(stateKeyOf(pdu.type, pdu.stateKey));
  }
  for (const type of SETTINGS) keys.add(stateKeyOf(type, ''));
  const values = new Map<StateKey, EventId>();
  for (const key of keys) {
    if (conflicted.has(key)) continue;
    const { type, stateKey } = parseStateKey(key);
    const id = await room.states.get(base, type, stateKey);
    if (id !== undefined) values.set(key, id);
  }
  const absent = [...values.values()].filter((id) => !universe.has(id));
  for (const [id, record] of await loadAuthChains(room, absent)) universe.set(id, record);
  return values;
}

/** As stateres/auth-difference.ts defines it, without touching what all states share unless it can matter. */
async function authDifferenceOf(
  room: RoomDraft,
  sets: readonly StateSet[],
  { base, conflicted, universe }: Conflict & { base: StateSnapshotId },
): Promise<Set<EventId>> {
  const event = (id: EventId) => recordIn(universe, id).pdu;
  const chains = sets.map((set) => withAuthChain(set.values(), event));
  const all = chains.reduce((union, chain) => union.union(chain));
  const inEvery = chains.reduce((common, chain) => common.intersection(chain));
  const difference = all.difference(inEvery);
  if (difference.isSubsetOf(new Set([...conflicted.values()].flat()))) return difference;
  const shared = (await room.states.entries(base, 'all'))
    .filter(({ type, stateKey }) => !conflicted.has(stateKeyOf(type, stateKey)))
    .map(({ eventId }) => eventId);
  const sharedChains = await loadAuthChains(room, shared);
  return difference.difference(new Set(sharedChains.keys()));
}

function recordIn(universe: EventMap, id: EventId): EventRecord {
  const record = universe.get(id);
  if (record === undefined)
    throw new Error(`state resolution asked for ${id}, which is not loaded`);
  return record;
}
