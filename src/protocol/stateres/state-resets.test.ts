// The two situations in which v2 throws a room back to an old state, and which v2.1 is made for. Both begin
// with servers whose state was resolved wrongly before, so that the states are given, not grown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CREATOR } from '../auth/test-room.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { resolveStateMaps } from './resolve.ts';
import { type StateMap, stateKeyOf } from './state-key.ts';
import { idOf, nameOf, TestDag } from './test-dag.ts';

const BOB = '@bob:home.org';
const CAROL = '@carol:home.org';
const EVE = '@eve:home.org';
const ZARA = '@zara:home.org';

/** A state of the named events. */
function stateOf(dag: TestDag, names: readonly string[]): StateMap {
  const events = names.map((name) => dag.event(idOf(name)));
  return new Map(
    events.map((event) => [stateKeyOf(event.type, event.stateKey ?? ''), event.eventId]),
  );
}

function resolve(dag: TestDag, states: readonly (readonly string[])[]) {
  const resolved = resolveStateMaps(
    states.map((names) => stateOf(dag, names)),
    dag.deps,
  );
  return (type: string, stateKey = '') => nameOf(resolved.get(stateKeyOf(type, stateKey)));
}

/** Two servers: one has forgotten the closing of the room, its founder's membership is `leave` for both. */
function forgottenJoinRules(version: RoomVersionId) {
  const dag = TestDag.founded(version);
  dag.member('bob', [BOB, 'join']);
  dag.member('carol', [CAROL, 'join']);
  const closed = { join_rule: 'invite' };
  dag.send({ name: 'closed', type: 'm.room.join_rules', stateKey: '', content: closed });
  dag.member('founder leaves', [CREATOR, 'leave']);
  const renamed = { membership: 'join', displayname: 'new' };
  dag.member('bob2', [BOB, 'join'], { content: renamed });
  dag.member('carol2', [CAROL, 'join'], { content: renamed, after: ['founder leaves'] });
  const common = ['create', 'levels', 'founder leaves'];
  return resolve(dag, [
    [...common, 'closed', 'bob2', 'carol'],
    [...common, 'public', 'bob', 'carol2'],
  ]);
}

test('v2 starts from what is unconflicted: nobody is left who could have set the join rules', () => {
  const state = forgottenJoinRules('11');
  assert.equal(state('m.room.join_rules'), undefined);
  assert.equal(state('m.room.member', BOB), 'bob2');
});

test('v2.1 starts from nothing: the join rules are authorized by their own auth events', () => {
  const state = forgottenJoinRules('12');
  assert.equal(state('m.room.join_rules'), 'closed');
  assert.equal(state('m.room.member', BOB), 'bob2');
  assert.equal(state('m.room.member', CAROL), 'carol2');
  assert.equal(state('m.room.member', CREATOR), 'founder leaves');
});

/** One server has gone back to the first power levels, two steps behind the other. */
function forgottenLevels(version: RoomVersionId) {
  const dag = TestDag.founded(version);
  dag.member('bob', [BOB, 'join']);
  dag.member('carol', [CAROL, 'join']);
  dag.levels('levels1', { ...dag.creatorLevel(), [BOB]: 50 });
  dag.levels('levels2', { ...dag.creatorLevel(), [BOB]: 50, [CAROL]: 50 }, { sender: BOB });
  dag.member('zara', [ZARA, 'join']);
  dag.member('eve', [EVE, 'join'], { after: ['levels2'] });
  const renamed = { membership: 'join', displayname: 'new' };
  dag.member('eve2', [EVE, 'join'], { content: renamed });
  const common = ['create', 'creator', 'public', 'bob', 'carol'];
  return resolve(dag, [
    [...common, 'levels', 'eve2'],
    [...common, 'levels2', 'zara'],
  ]);
}

test('v2 leaves out the levels in between: the room falls back to the first', () => {
  const state = forgottenLevels('11');
  assert.equal(state('m.room.power_levels'), 'levels');
  assert.equal(state('m.room.member', ZARA), 'zara');
  assert.equal(state('m.room.member', EVE), 'eve2');
});

test('v2.1 has them in the conflicted state subgraph: the last levels stay', () => {
  const state = forgottenLevels('12');
  assert.equal(state('m.room.power_levels'), 'levels2');
  assert.equal(state('m.room.member', ZARA), 'zara');
  assert.equal(state('m.room.member', EVE), 'eve2');
});
