// What state resolution is for: people who race against each other, on servers that cannot see each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CREATOR } from '../auth/test-room.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import type { StateMap } from './state-key.ts';
import { nameOf, TestDag } from './test-dag.ts';

const ALICE = '@alice:home.org';
const BOB = '@bob:home.org';
const ELLA = '@ella:away.org';
const V1: readonly RoomVersionId[] = ['1'];
const V2: readonly RoomVersionId[] = ['2', '6', '11'];
const LATER: readonly RoomVersionId[] = [...V2, '12'];
const ALL: readonly RoomVersionId[] = [...V1, ...LATER];

/** A public room of the creator, with Alice (100) and Bob (50), and Ella outside; the last event is `bob`. */
function race(name: string, versions: readonly RoomVersionId[], run: (dag: TestDag) => void): void {
  test(name, () => {
    for (const version of versions) {
      const dag = TestDag.founded(version, { [ALICE]: 100, [BOB]: 50 });
      dag.member('alice', [ALICE, 'join']);
      dag.member('bob', [BOB, 'join']);
      try {
        run(dag);
      } catch (error) {
        throw new Error(`room version ${version}`, { cause: error });
      }
    }
  });
}

const after = (...names: string[]) => ({ after: names });

/** Names of the events that the state has for a topic, power levels, join rules and Bob's and Ella's membership. */
function summary(dag: TestDag, state: StateMap) {
  const name = (type: string, stateKey = '') =>
    nameOf(dag.eventIn(state, `m.room.${type}`, stateKey)?.eventId);
  return {
    topic: name('topic'),
    levels: name('power_levels'),
    rules: name('join_rules'),
    bob: name('member', BOB),
    ella: name('member', ELLA),
  };
}

function expect(
  dag: TestDag,
  ends: readonly string[],
  expected: Partial<ReturnType<typeof summary>>,
) {
  const state = summary(dag, dag.merge(...ends));
  assert.deepEqual({ ...state, ...expected }, state);
  assert.deepEqual(summary(dag, dag.merge(...ends.toReversed())), state);
}

race('a ban that races with a topic takes the topic back', LATER, (dag) => {
  dag.topic('first', ALICE);
  dag.member('ban', [BOB, 'ban'], { sender: ALICE, ...after('first') });
  dag.topic('second', BOB, after('first'));
  expect(dag, ['ban', 'second'], { topic: 'first', bob: 'ban' });
});

race('in version 1 a topic without rival survives the ban of who set it', V1, (dag) => {
  dag.member('ban', [BOB, 'ban'], { sender: ALICE, ...after('bob') });
  dag.topic('topic', BOB, after('bob'));
  expect(dag, ['ban', 'topic'], { topic: 'topic', bob: 'ban' });
});

race('later a topic without rival does not', LATER, (dag) => {
  dag.member('ban', [BOB, 'ban'], { sender: ALICE, ...after('bob') });
  dag.topic('topic', BOB, after('bob'));
  expect(dag, ['ban', 'topic'], { topic: undefined, bob: 'ban' });
});

race('a demotion that races with a topic takes the topic back', ALL, (dag) => {
  dag.topic('first', ALICE);
  dag.levels(
    'demotion',
    { ...dag.creatorLevel(), [ALICE]: 100 },
    { sender: ALICE, ...after('first') },
  );
  dag.topic('second', BOB, after('first'));
  expect(dag, ['demotion', 'second'], { topic: 'first', levels: 'demotion' });
});

race(
  'a demotion beats what the demoted does to the levels, however often and late',
  LATER,
  (dag) => {
    dag.levels(
      'demotion',
      { ...dag.creatorLevel(), [ALICE]: 100 },
      { sender: ALICE, ...after('bob') },
    );
    const users = { ...dag.creatorLevel(), [ALICE]: 100, [BOB]: 50 };
    const content = { users: { ...users, [ELLA]: 50 } };
    dag.levels('grab', content.users, { sender: BOB, ...after('bob'), ts: 1000 });
    dag.levels('grab more', content.users, {
      sender: BOB,
      content: { ...content, ban: 0 },
      ts: 1001,
    });
    expect(dag, ['demotion', 'grab more'], { levels: 'demotion' });
  },
);

race('a ban beats what the banned does to the levels', LATER, (dag) => {
  const users = { ...dag.creatorLevel(), [ALICE]: 100, [BOB]: 50 };
  dag.member('ban', [BOB, 'ban'], { sender: ALICE, ...after('bob'), ts: 1000 });
  dag.levels('grab', { ...users, [ELLA]: 50 }, { sender: BOB, ...after('bob') });
  expect(dag, ['ban', 'grab'], { bob: 'ban', levels: 'levels' });
});

race('of two topics the later one stays', LATER, (dag) => {
  dag.topic('late', BOB, { ...after('bob'), ts: 101 });
  dag.topic('early', ALICE, { ...after('bob'), ts: 100 });
  expect(dag, ['late', 'early'], { topic: 'late' });
});

race('of two topics of the same time the one with the greater id stays', LATER, (dag) => {
  dag.topic('a', ALICE, { ...after('bob'), ts: 100 });
  dag.topic('b', BOB, { ...after('bob'), ts: 100 });
  dag.topic('B', BOB, { ...after('bob'), ts: 100 });
  expect(dag, ['a', 'b', 'B'], { topic: 'b' });
});

race('in version 1 the deeper topic stays', V1, (dag) => {
  dag.topic('deep', BOB, { ...after('bob'), ts: 1 });
  dag.topic('deeper', ALICE, { ts: 2 });
  dag.topic('flat', ALICE, { ...after('bob'), ts: 100 });
  expect(dag, ['deeper', 'flat'], { topic: 'deeper' });
});

race('a topic under newer levels beats a later one under older levels', LATER, (dag) => {
  const users = { ...dag.creatorLevel(), [ALICE]: 100, [BOB]: 50, [ELLA]: 1 };
  dag.levels('newer', users, { sender: ALICE, ...after('bob') });
  dag.topic('under newer', ALICE, { ts: 100 });
  dag.topic('under older', BOB, { ...after('bob'), ts: 200 });
  expect(dag, ['under newer', 'under older'], { topic: 'under newer', levels: 'newer' });
});

race('joins that race with a closing of the room are taken back', LATER, (dag) => {
  const closed = { join_rule: 'invite' };
  dag.send({
    name: 'closed',
    type: 'm.room.join_rules',
    stateKey: '',
    content: closed,
    ...after('bob'),
  });
  dag.member('join', [ELLA, 'join'], after('bob'));
  expect(dag, ['closed', 'join'], { rules: 'closed', ella: undefined });
});

race('in version 1 they are not', V1, (dag) => {
  const closed = { join_rule: 'invite' };
  dag.send({
    name: 'closed',
    type: 'm.room.join_rules',
    stateKey: '',
    content: closed,
    ...after('bob'),
  });
  dag.member('join', [ELLA, 'join'], after('bob'));
  expect(dag, ['closed', 'join'], { rules: 'closed', ella: 'join' });
});

race('joins that race with each other are both in', ALL, (dag) => {
  dag.member('leave', [BOB, 'leave'], after('bob'));
  dag.member('ella', [ELLA, 'join'], after('leave'));
  dag.member('back', [BOB, 'join'], after('leave'));
  expect(dag, ['ella', 'back'], { ella: 'ella', bob: 'back' });
});

race('a kick beats the profile change that races with it', LATER, (dag) => {
  dag.member('kick', [BOB, 'leave'], { sender: ALICE, ...after('bob') });
  const content = { membership: 'join', displayname: 'B' };
  dag.member('change', [BOB, 'join'], { content, ...after('bob'), ts: 1000 });
  const state = dag.merge('kick', 'change');
  // The room is public: who was kicked may join again, which is what the change amounts to.
  assert.equal(summary(dag, state).bob, 'change');
});

race(
  'a kick beats the profile change that races with it, where the room is closed',
  LATER,
  (dag) => {
    const closed = { join_rule: 'invite' };
    dag.send({ name: 'closed', type: 'm.room.join_rules', stateKey: '', content: closed });
    dag.member('kick', [BOB, 'leave'], { sender: ALICE, ...after('closed') });
    const content = { membership: 'join', displayname: 'B' };
    dag.member('change', [BOB, 'join'], { content, ...after('closed'), ts: 1000 });
    expect(dag, ['kick', 'change'], { bob: 'kick' });
  },
);

race('the banned cannot undo the ban by going on from before it', LATER, (dag) => {
  dag.member('ban', [BOB, 'ban'], { sender: ALICE, ...after('bob') });
  dag.member('leave', [BOB, 'leave'], { ...after('bob'), ts: 1000 });
  dag.member('rejoin', [BOB, 'join'], { ts: 1001 });
  dag.topic('topic', BOB, { ts: 1002 });
  expect(dag, ['ban', 'topic'], { bob: 'ban', topic: undefined });
});

race('the more powerful of two who ban each other prevails', LATER, (dag) => {
  dag.member('ella', [ELLA, 'join']);
  const users = { ...dag.creatorLevel(), [ALICE]: 100, [BOB]: 99 };
  dag.levels('levels2', users, { sender: ALICE });
  dag.member('ban bob', [BOB, 'ban'], { sender: ALICE, ...after('levels2'), ts: 1000 });
  dag.member('ban ella', [ELLA, 'ban'], { sender: BOB, ...after('levels2'), ts: 1 });
  expect(dag, ['ban bob', 'ban ella'], { bob: 'ban bob', ella: 'ella' });
});

race('what all agree on is not touched', ALL, (dag) => {
  const before = dag.stateAfter('bob');
  dag.topic('a', ALICE, after('bob'));
  dag.topic('b', BOB, after('bob'));
  const merged = dag.merge('a', 'b');
  for (const [key, id] of before) assert.equal(merged.get(key), id);
  assert.equal(merged.size, before.size + 1);
});

race('history without forks stays as it is', ALL, (dag) => {
  dag.topic('one', ALICE);
  dag.topic('two', BOB);
  assert.deepEqual(dag.merge('two'), dag.stateAfter('two'));
  assert.deepEqual(dag.merge('two', 'two'), dag.stateAfter('two'));
});

test('no states, and a room with nothing but m.room.create', () => {
  for (const version of ALL) {
    const dag = new TestDag(version);
    assert.equal(dag.merge().size, 0);
    assert.equal(dag.merge('create').size, 1);
    dag.member('creator', [CREATOR, 'join']);
    const merged = dag.merge('create', 'creator');
    assert.deepEqual(new Map(merged), new Map(dag.stateAfter('creator')));
  }
});
