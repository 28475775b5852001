// A thousand random graphs for each algorithm: whatever the order of its input, resolution gives the same
// state, and what the specification, followed to the letter, gives. A failure names the seed of its graph.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventId } from '../identifiers.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { authDifference } from './auth-difference.ts';
import { conflictedStateSubgraph } from './conflicted-state-subgraph.ts';
import { resolveStateMaps } from './resolve.ts';
import { reverseTopologicalPowerOrdering } from './reverse-topological-power-ordering.ts';
import { separateConflicts } from './separate-conflicts.ts';
import type { StateMap } from './state-key.ts';
import type { TestDag } from './test-dag.ts';
import { NaiveResolution } from './test-naive-v2.ts';
import { randomDag, randomFrom, randomStates, shuffled } from './test-random-dag.ts';

const GRAPHS = 1000;
const STEPS = 24;

interface Sample {
  readonly dag: TestDag;
  readonly states: StateMap[];
  readonly random: () => number;
}

function forEachGraph(version: RoomVersionId, check: (sample: Sample) => void): void {
  for (let seed = 1; seed <= GRAPHS; seed++) {
    const random = randomFrom(seed);
    const dag = randomDag(version, random, STEPS);
    try {
      check({ dag, states: randomStates(dag, random), random });
    } catch (error) {
      throw new Error(`seed ${seed} of room version ${version}`, { cause: error });
    }
  }
}

const sorted = (state: StateMap | ReadonlySet<EventId>) => [...state].sort();

const ALGORITHMS = [
  ['v1', '1'],
  ['v2', '6'],
  ['v2.1', '12'],
] as const;

for (const [algorithm, version] of ALGORITHMS) {
  test(`${algorithm} gives one result, and v2 and v2.1 the one of the specification`, () => {
    let conflicts = 0;
    forEachGraph(version, (sample) => {
      checkOrderOfInput(sample);
      checkCertainty(sample);
      if (algorithm !== 'v1') checkAgainstSpecification(sample);
      conflicts += separateConflicts(sample.states).conflicted.size;
    });
    assert.ok(conflicts > 2 * GRAPHS, `the graphs are worth it: ${conflicts}`);
  });
}

function checkOrderOfInput({ dag, states, random }: Sample): void {
  const resolved = resolveStateMaps(states, dag.deps);
  for (let i = 0; i < 3; i++) {
    const mixed = shuffled(states, random).map((state) => new Map(shuffled([...state], random)));
    assert.deepEqual(sorted(resolveStateMaps(mixed, dag.deps)), sorted(resolved));
  }
}

/** What every state says stays, and states that agree are their own result. */
function checkCertainty({ dag, states }: Sample): void {
  for (const state of states) {
    assert.deepEqual(sorted(resolveStateMaps([state, state], dag.deps)), sorted(state));
  }
  const resolved = resolveStateMaps(states, dag.deps);
  const { unconflicted } = separateConflicts(states);
  for (const [key, id] of unconflicted) assert.equal(resolved.get(key), id);
}

/** The result, and what is found on the way to it. */
function checkAgainstSpecification({ dag, states, random }: Sample): void {
  const naive = new NaiveResolution(states, dag);
  assert.deepEqual(sorted(resolveStateMaps(states, dag.deps)), sorted(naive.resolve()));

  const conflicted = new Set([...separateConflicts(states).conflicted.values()].flat());
  const difference = authDifference(states, dag.event).union(conflicted);
  assert.deepEqual(sorted(difference), sorted(naive.difference().union(conflicted)));
  const subgraph = conflictedStateSubgraph(conflicted, dag.event);
  assert.deepEqual(sorted(subgraph), sorted(naive.subgraph(conflicted)));

  const all = shuffled([...dag.events], random);
  const ordered = reverseTopologicalPowerOrdering(new Map(all), dag.deps);
  const expected = naive.topologicalOrder(all.map(([, event]) => event));
  assert.deepEqual(
    ordered.map(({ eventId }) => eventId),
    expected.map(({ eventId }) => eventId),
  );
}
