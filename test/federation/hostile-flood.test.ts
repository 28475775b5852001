// A server that sends as fast as it can gets its share of our work and no more: what is beyond waits unread or is refused, while
// another server at the same address is served. The clock stands still, so that what is let in can be counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Answer } from '../client.ts';
import type { ForeignRoom } from './foreign-room.ts';
import { HostileServer } from './hostile-server.ts';
import { startNetwork } from './network.ts';

const WORK = { per_second: 100, burst: 100 };
const config = {
  rate_limits: {
    enabled: true,
    federation_work: WORK,
    federation_address_work: { per_second: 1000, burst: 1000 },
  },
};

test('who floods waits or is refused, and others are served meanwhile', async (t) => {
  const network = await startNetwork({ servers: 1, clock: 'manual', config });
  t.after(() => network.close());
  const server = network.server(0);
  const ann = await server.user('ann');
  const roomId = await ann.createRoom({ preset: 'public_chat', room_version: '11' });
  const [eve, bob] = await Promise.all([0, 1].map(() => HostileServer.start({ now: network.now })));
  assert.ok(eve && bob);
  t.after(() => Promise.all([eve.close(), bob.close()]));
  const theirs = await eve.join(server.name, roomId, eve.user('eve'));
  const bobs = await bob.join(server.name, roomId, bob.user('bob'));
  await network.pass(60_000);

  const answers: Answer[] = [];
  const flood = Array.from({ length: 40 }, async () => {
    answers.push(await eve.send(server.name, messages(theirs, eve.user('eve'), 20)));
  });
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  // One waits for its share, sixteen for that one.
  while (answers.length < 23) await setTimeout(5);
  for (let n = 0; n < 5; n += 1) {
    const said = messages(bobs, bob.user('bob'), 1);
    const answer: Answer = await bob.send(server.name, said);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body.pdus, { [said[0]?.eventId ?? '']: {} });
  }

  // Each takes about a seventh of what there is. Who sends less is served first.
  while (count(200) <= 2) await setTimeout(5);
  const letIn = count(200);
  assert.ok(letIn < 12, `${letIn} were let in`);
  const refused = count(429);
  assert.equal(letIn + refused, answers.length);
  assert.ok(answers.length >= 23, `${answers.length} were answered`);
  const retries = answers.flatMap((answer) => answer.body.retry_after_ms ?? []);
  assert.equal(retries.length, refused);

  await network.inTime(Promise.all(flood));
  assert.equal(count(200), 40 - refused);
  assert.equal(count(429), refused);
});

function messages(room: ForeignRoom, sender: string, number: number) {
  return Array.from({ length: number }, (_, n) =>
    room.build({ type: 'm.room.message', sender, content: { msgtype: 'm.text', body: `${n}` } }),
  );
}
