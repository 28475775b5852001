// For tests: event graphs grown at random from a seed, full of forks, bans, demotions and races.

import { CREATOR } from '../auth/test-room.ts';
import type { JsonObject } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import type { StateMap } from './state-key.ts';
import { type DagEvent, nameOf, TestDag } from './test-dag.ts';

const USERS = [CREATOR, '@alice:home.org', '@bob:home.org', '@eve:away.org'];
const LEVELS = [0, 0, 50, 50, 100];

/** Numbers in [0, 1), the same ones for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((x, y) => x.rank - y.rank)
    .map(({ item }) => item);
}

/** A room in which `steps` things were tried. */
export function randomDag(version: RoomVersionId, random: () => number, steps: number): TestDag {
  const dag = TestDag.founded(version, { '@alice:home.org': 100, '@bob:home.org': 50 });
  const names = USERS.slice(1).map((user, i) => {
    dag.member(`user${i}`, [user, 'join']);
    return `user${i}`;
  });
  for (let step = 0; step < steps; step++) {
    const after = [
      ...new Set(Array.from({ length: random() < 0.3 ? 2 : 1 }, () => recent(names, random))),
    ];
    const event = { ...randomEvent(dag, random), name: `e${step}`, after };
    // Close in time, so that ties occur.
    if (typeof dag.trySend({ ...event, ts: 10 + Math.floor(random() * 8) }) !== 'string') {
      names.push(event.name);
    }
  }
  return dag;
}

function recent(names: readonly string[], random: () => number): string {
  return random() < 0.5 ? (names.at(-1) as string) : pick(names.slice(-6), random);
}

/** The states after some of the graph's events. */
export function randomStates(dag: TestDag, random: () => number): StateMap[] {
  const names = [...dag.events.keys()].slice(6).map((id) => nameOf(id) as string);
  const count = 2 + Math.floor(random() * 3);
  return Array.from({ length: count }, () => dag.stateAfter(pick(names, random)));
}

function randomEvent(dag: TestDag, random: () => number): Omit<DagEvent, 'name'> {
  const sender = pick(USERS, random);
  const state = (type: string, content: JsonObject) => ({ type, sender, stateKey: '', content });
  const member = (stateKey: string, membership: string) => {
    return { type: 'm.room.member', sender, stateKey, content: { membership } };
  };
  const kinds = [
    () => state('m.room.topic', { topic: `${random()}` }),
    () => state('m.room.name', { name: `${random()}` }),
    () => state('m.room.join_rules', { join_rule: pick(['public', 'invite'], random) }),
    () => state('m.room.power_levels', { users: randomLevels(dag, random) }),
    () => member(sender, 'join'),
    () => member(sender, 'join'),
    () => member(sender, 'leave'),
    () => member(pick(USERS, random), pick(['leave', 'ban', 'invite'], random)),
  ];
  return pick(kinds, random)();
}

function randomLevels(dag: TestDag, random: () => number): JsonObject {
  const users = USERS.slice(1).map((user) => [user, pick(LEVELS, random)]);
  return { ...dag.creatorLevel(), ...Object.fromEntries(users) };
}
