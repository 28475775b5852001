// Answers to PUT /peek that are not meant well.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readPeekAnswer } from './peek-answer.ts';

const ids = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) => `$${prefix}${i}`);

function answer({ common, latest }: { readonly common: number; readonly latest: number }) {
  return {
    room_version: '11',
    common_state_ids: ids(common, 'common'),
    latest_event_state_ids: Object.fromEntries(ids(latest, 'latest').map((id) => [id, []])),
    events: [],
  };
}

it('a large state after one event is read, and a small one after many', () => {
  const { extremities } = readPeekAnswer(answer({ common: 100_000, latest: 1 }));
  assert.equal(extremities[0]?.stateAfter.length, 100_000);
  assert.equal(readPeekAnswer(answer({ common: 1_000, latest: 100 })).extremities.length, 100);
});

it('what is common to many states takes the space of one', () => {
  const { extremities } = readPeekAnswer(answer({ common: 20_000, latest: 100 }));
  assert.equal(new Set(extremities.map(({ stateAfter }) => stateAfter)).size, 1);
});

it('states that are together larger than any room could be are not put together', () => {
  const large = answer({ common: 100_000, latest: 100 });
  const latest = Object.fromEntries(
    Object.keys(large.latest_event_state_ids).map((id) => [id, [`$of${id.slice(1)}`]]),
  );
  assert.throws(() => readPeekAnswer({ ...large, latest_event_state_ids: latest }), {
    errcode: 'M_UNKNOWN',
  });
});
