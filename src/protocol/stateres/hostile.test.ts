// Graphs that only somebody hostile would make: endless chains, circles, rejected auth events.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CREATOR } from '../auth/test-room.ts';
import type { EventId } from '../identifiers.ts';
import { conflictedStateSubgraph } from './conflicted-state-subgraph.ts';
import { resolveStateMaps } from './resolve.ts';
import { stateKeyOf } from './state-key.ts';
import { idOf, nameOf, TestDag, withEvents } from './test-dag.ts';

const EVE = '@eve:away.org';
const TOPIC = stateKeyOf('m.room.topic', '');

for (const version of ['2', '12'] as const) {
  test(`tens of thousands of power levels in a row are walked once, in room version ${version}`, () => {
    const dag = TestDag.founded(version);
    const base = version === '12' ? ['creator'] : ['create', 'creator'];
    const content = { users: dag.creatorLevel() };
    let last = 'levels';
    for (let i = 0; i < 30_000; i++) {
      const name = `l${i}`;
      dag.forge({ name, type: 'm.room.power_levels', auth: [...base, last], content });
      last = name;
    }
    // Each of these has to be placed on that mainline.
    const states = [0, 1].map((side) =>
      withEvents(
        dag.stateAfter('public'),
        Array.from({ length: 3000 }, (_, i) => {
          const auth = [...base, `l${i * 10 + side}`];
          return dag.forge({
            name: `t${side}-${i}`,
            type: 'org.example.entry',
            stateKey: `${i}`,
            auth,
          });
        }),
      ),
    );
    const [one, other] = states;
    assert.ok(one && other);
    const tops = ['l28000', `l29999`].map((name) => dag.event(idOf(name)));
    const ends = [withEvents(one, tops.slice(0, 1)), withEvents(other, tops.slice(1))];
    const resolved = resolveStateMaps(ends, dag.deps);
    assert.equal(nameOf(resolved.get(stateKeyOf('m.room.power_levels', ''))), 'l29999');
    assert.equal(nameOf(resolved.get(stateKeyOf('org.example.entry', '7'))), 't1-7');
  });
}

test('an event may be cited by more events than a call has room for arguments', () => {
  const dag = TestDag.founded('11');
  const entries = Array.from({ length: 150_000 }, (_, i) =>
    dag.forge({ name: `e${i}`, type: 'org.example.entry', auth: ['create'] }),
  );
  const conflicted = new Set([dag.room.create, ...entries].map(({ eventId }) => eventId));
  assert.equal(conflictedStateSubgraph(conflicted, dag.event).size, conflicted.size);
});

test('auth events in circles come to an end', () => {
  const dag = TestDag.founded('2');
  const auth = ['create', 'creator'];
  const content = { users: { [CREATOR]: 100, [EVE]: 100 } };
  const circle = ['a', 'b', 'c'].map((name, i, all) => {
    const next = all[(i + 1) % all.length] as string;
    return dag.forge({ name, type: 'm.room.power_levels', auth: [...auth, next], content });
  });
  const topic = dag.forge({ name: 'topic', type: 'm.room.topic', auth: [...auth, 'b'] });
  const state = dag.stateAfter('public');
  const ends = [state, withEvents(state, [...circle.slice(0, 1), topic])];
  const resolved = resolveStateMaps(ends, dag.deps);
  assert.equal(nameOf(resolved.get(stateKeyOf('m.room.power_levels', ''))), 'levels');
  assert.equal(nameOf(resolved.get(TOPIC)), 'topic');

  const agreed = withEvents(state, circle.slice(0, 1));
  const topics = ['b', 'c'].map((cited, ts) => {
    const name = `topic by ${cited}`;
    return withEvents(agreed, [
      dag.forge({ name, type: 'm.room.topic', auth: [...auth, cited], ts }),
    ]);
  });
  assert.equal(nameOf(resolveStateMaps(topics, dag.deps).get(TOPIC)), 'topic by b');
});

for (const version of ['2', '12'] as const) {
  test(`rejected auth events authorize nothing, in room version ${version}`, () => {
    const dag = TestDag.founded(version);
    const users = { ...dag.creatorLevel(), [EVE]: 50 };
    dag.levels('open', users);
    const base = version === '12' ? ['open'] : ['create', 'open'];
    const join = dag.room.event({
      id: idOf('join'),
      type: 'm.room.member',
      stateKey: EVE,
      sender: EVE,
      content: { membership: 'join' },
      auth: [...base, 'public'].map(idOf),
    });
    const note = dag.room.event({
      id: idOf('note'),
      type: 'org.example.note',
      stateKey: '',
      sender: EVE,
      auth: [...base, 'join'].map(idOf),
    });
    for (const event of [join, note]) dag.events.set(event.eventId, event);
    // Both sides rest on the join, so that it is not resolved anew, and have lost it.
    const other = dag.forge({ name: 'other', type: 'org.example.other', auth: [...base, 'join'] });
    const state = withEvents(dag.stateAfter('open'), [other]);
    const ends = [state, withEvents(state, [note])];
    const isInState = () =>
      resolveStateMaps(ends, dag.deps).has(stateKeyOf('org.example.note', ''));
    assert.equal(isInState(), true);
    dag.rejected.add(idOf('join'));
    assert.equal(isInState(), false);
  });
}

test('a rejected m.room.create authorizes nothing', () => {
  const dag = TestDag.founded('12');
  const topic = dag.topic('topic', CREATOR);
  const ends = [dag.stateAfter('public'), dag.stateAfter('topic')];
  assert.equal(resolveStateMaps(ends, dag.deps).get(TOPIC), topic.eventId);
  dag.rejected.add(dag.room.create.eventId);
  assert.equal(resolveStateMaps(ends, dag.deps).get(TOPIC), undefined);
});

test('an event that is not known is an error, not a state', () => {
  for (const version of ['1', '2', '12'] as const) {
    const dag = TestDag.founded(version);
    const missing = '$missing:home.org' as EventId;
    const ends = [0, 1].map((i) => new Map([[TOPIC, `${missing}${i}` as EventId]]));
    assert.throws(() => resolveStateMaps(ends, dag.deps), { message: /no event/ });
  }
});

test('what is no state does not come into the state', () => {
  const dag = TestDag.founded('2');
  const message = dag.room.event({ id: idOf('message'), type: 'm.room.message', auth: [] });
  dag.events.set(message.eventId, message);
  const topic = dag.forge({
    name: 'topic',
    type: 'm.room.topic',
    auth: ['create', 'creator', 'levels', 'message'],
  });
  const state = dag.stateAfter('public');
  const resolved = resolveStateMaps([state, withEvents(state, [topic])], dag.deps);
  assert.deepEqual([...resolved.keys()].sort(), [...state.keys(), TOPIC].sort());
});
