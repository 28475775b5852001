// The passes of the algorithm of room version 1.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CREATOR } from '../auth/test-room.ts';
import type { Pdu } from '../events/pdu.ts';
import type { JsonObject } from '../json.ts';
import { resolveStateMaps } from './resolve.ts';
import { type StateMap, stateKeyOf } from './state-key.ts';
import { nameOf, TestDag, withEvents } from './test-dag.ts';

const ALICE = '@alice:home.org';
const BOB = '@bob:home.org';

const dag = TestDag.founded('1', { [ALICE]: 50 });
dag.member('alice', [ALICE, 'join']);
dag.member('bob', [BOB, 'join']);
const COMMON = dag.stateAfter('bob');

let count = 0;
/** What stands in a state; version 1 does not look at auth events. */
function stands(
  type: string,
  depth: number,
  content: JsonObject,
  by = CREATOR,
  stateKey = '',
): Pdu {
  const name = `${type} ${depth} ${count++}`;
  return dag.forge({
    name,
    type: `m.room.${type}`,
    stateKey,
    depth,
    content,
    sender: by,
    auth: [],
  });
}
const levels = (depth: number, users: JsonObject, by = CREATOR) =>
  stands('power_levels', depth, { users: { [CREATOR]: 100, ...users } }, by);
const rules = (depth: number, join_rule: string, by = CREATOR) =>
  stands('join_rules', depth, { join_rule }, by);
const topic = (depth: number, by = CREATOR) => stands('topic', depth, {}, by);
const member = (depth: number, user: string, membership: string, by = user) =>
  stands('member', depth, { membership }, by, user);

/** Resolves states that hold these events on top of what is common. */
function resolve(...sides: Pdu[][]): (like: Pdu | undefined) => string | undefined {
  const resolved: StateMap = resolveStateMaps(
    sides.map((events) => withEvents(COMMON, events)),
    dag.deps,
  );
  return (like) => nameOf(resolved.get(stateKeyOf(like?.type ?? '', like?.stateKey ?? '')));
}
const idsOf = (event: Pdu | undefined) => nameOf(event?.eventId);

test('the first of the power levels counts without question, then whatever follows by the rules', () => {
  // Of somebody who may not: but the earliest.
  const first = levels(5, { [ALICE]: 50 }, BOB);
  const second = levels(6, { [ALICE]: 60 });
  assert.equal(resolve([second], [first])(first), idsOf(second));
  assert.equal(resolve([levels(6, {}, BOB)], [first])(first), idsOf(first));
  const refused = levels(7, { [ALICE]: 100 }, ALICE);
  assert.equal(resolve([second], [first], [refused])(first), idsOf(second));
});

test('the first that is refused ends the pass, although later ones would be allowed', () => {
  const first = levels(5, { [ALICE]: 50 });
  const refused = levels(6, { [BOB]: 100 }, BOB);
  const late = levels(7, { [ALICE]: 60 });
  assert.equal(resolve([late], [first], [refused])(first), idsOf(first));
});

test('join rules are resolved by the power levels resolved before', () => {
  const before = levels(5, { [ALICE]: 50 });
  const demoted = levels(6, { [ALICE]: 0 });
  const open = rules(7, 'public');
  const closed = rules(8, 'invite', ALICE);
  assert.equal(resolve([before, open], [before, closed])(open), idsOf(closed));
  assert.equal(resolve([before, open], [demoted, closed])(open), idsOf(open));
});

test('memberships are resolved by the join rules resolved before', () => {
  const left = member(9, BOB, 'leave');
  const back = member(10, BOB, 'join');
  const open = rules(7, 'public');
  const closed = rules(8, 'invite');
  assert.equal(resolve([open, left], [open, back])(left), idsOf(back));
  assert.equal(resolve([open, left], [closed, back])(left), idsOf(left));
});

test('other events are resolved by the memberships resolved before', () => {
  const joined = member(9, ALICE, 'join');
  const banned = member(10, ALICE, 'ban', CREATOR);
  const old = topic(3);
  const late = topic(11, ALICE);
  assert.equal(resolve([joined, old], [joined, late])(old), idsOf(late));
  assert.equal(resolve([joined, old], [banned, late])(old), idsOf(old));
  const rejoined = member(10, ALICE, 'join');
  assert.equal(resolve([joined, old], [rejoined, late])(old), idsOf(late));
});

test('memberships of one pass do not see each other: who is in conflict has no power over another', () => {
  const alice = [member(5, ALICE, 'join'), member(6, ALICE, 'join')] as const;
  const kicked = member(8, BOB, 'leave', ALICE);
  const joined = member(7, BOB, 'join');
  const state = resolve([alice[0], joined], [alice[1], kicked]);
  assert.equal(state(alice[0]), idsOf(alice[1]));
  assert.equal(state(joined), idsOf(joined));
});

test('where none is allowed the earliest stays', () => {
  const first = topic(5, BOB);
  const second = topic(6, BOB);
  assert.equal(resolve([second], [first])(first), idsOf(first));
});

test('what only some states have is no conflict', () => {
  const own = topic(5, BOB);
  assert.equal(resolve([own], [])(own), idsOf(own));
});

test('of the same depth the one with the smaller SHA-1 of its id comes later', () => {
  const sha1 = (event: Pdu) => createHash('sha1').update(event.eventId).digest('hex');
  for (let i = 0; i < 8; i++) {
    const topics = [topic(5), topic(5)];
    const all = [levels(5, { [ALICE]: 50 }), levels(5, { [ALICE]: 60 })];
    for (const [x, y] of [topics, all] as [Pdu, Pdu][]) {
      assert.equal(resolve([x], [y])(x), idsOf(sha1(x) < sha1(y) ? x : y));
    }
  }
});

test('other state of the types of the passes is resolved with them, but for power levels', () => {
  const keyed = (depth: number, type: string) => stands(type, depth, {}, CREATOR, 'key');
  for (const type of ['power_levels', 'join_rules']) {
    const [early, late] = [keyed(5, type), keyed(6, type)];
    assert.equal(resolve([early], [late])(early), idsOf(late));
  }
});
