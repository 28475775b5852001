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

it('a large state after one event is read, and a small one after many', async () => {
  const { extremities } = await readPeekAnswer(answer({ common: 100_000, latest: 1 }));
  assert.equal(extremities[0]?.stateAfter.length, 100_000);
  const many = await readPeekAnswer(answer({ common: 1_000, latest: 100 }));
  assert.equal(many.extremities.length, 100);
});

it('what is common to many states takes the space of one', async () => {
  const { extremities } = await readPeekAnswer(answer({ common: 20_000, latest: 100 }));
  assert.equal(new Set(extremities.map(({ stateAfter }) => stateAfter)).size, 1);
});

it('states that are together larger than any room could be are not put together', async () => {
  const large = answer({ common: 100_000, latest: 100 });
  const latest = Object.fromEntries(
    Object.keys(large.latest_event_state_ids).map((id) => [id, [`$of${id.slice(1)}`]]),
  );
  await assert.rejects(readPeekAnswer({ ...large, latest_event_state_ids: latest }), {
    errcode: 'M_UNKNOWN',
  });
});

it('a state of very many events holds nobody else up', async () => {
  const event = { type: 'm.room.member', state_key: '@b:b.example', sender: '@b:b.example' };
  const rest = { room_id: '!room:b.example', content: {}, depth: 1, origin_server_ts: 1 };
  const references = { auth_events: [], prev_events: [], hashes: { sha256: '' }, signatures: {} };
  const events = Array.from({ length: 3_000 }, (_, i) => ({
    ...{ ...event, ...rest, ...references },
    depth: i,
  }));
  let turns = 0;
  const count = setInterval(() => turns++, 0);
  const read = await readPeekAnswer({ ...answer({ common: 1, latest: 1 }), events });
  clearInterval(count);
  assert.equal(read.events.length, 3_000);
  assert.ok(turns > 10, `${turns} turns`);
});
