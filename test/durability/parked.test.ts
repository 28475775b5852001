// One entry of the log that cannot be applied: its room waits, alone, nobody is kept waiting for it, and what was
// parked is applied at the next start, once what was wrong is mended.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from '../../src/database/sql.ts';
import { register } from '../client.ts';
import { type InProcessServer, startInProcess } from '../server-in-process.ts';

for (const [engine, postgresUrl] of [
  ['SQLite', undefined],
  ['PostgreSQL', process.env.KEYHOLE_TEST_POSTGRES_URL],
] as const) {
  const isAbsent = engine === 'PostgreSQL' && postgresUrl === undefined;
  describe(
    `parked rooms on ${engine}`,
    isAbsent ? { skip: 'set KEYHOLE_TEST_POSTGRES_URL' } : {},
    () => {
      test('wait alone, and go on after a restart', async () => {
        const server = await startInProcess({ postgresUrl });
        try {
          await parkAndMend(server);
        } finally {
          await server.close();
        }
      });
    },
  );
}

async function parkAndMend(server: InProcessServer): Promise<void> {
  const alice = await register(server.baseUrl, 'alice');
  const bad = await alice.createRoom({ name: 'bad' });
  const good = await alice.createRoom({ name: 'good' });
  await server.settled();
  const { next_batch: since } = await alice.sync();
  await block(server);

  // The clock stands still: these would never be answered if anybody waited.
  const lost = await alice.send(bad, 'not applied yet');
  await alice.send(bad, 'nor is what follows');
  assert.equal((await server.keyhole.eventLog.parked())[0]?.key, bad);
  const seen = await alice.send(good, 'applied');
  const { rooms } = await alice.sync({ since });
  assert.deepEqual(Object.keys(rooms.join), [good]);
  assert.equal(rooms.join[good].timeline.events[0].event_id, seen);
  await alice.ok('PUT', `/v3/user/${alice.userId}/account_data/org.test`, { goes: 'on' });
  const { next_batch: past } = await alice.sync();
  assert.equal((await alice.call('GET', eventIn(bad, lost))).status, 404);

  await server.keyhole.database.transact((tx) =>
    tx.run(sql`DELETE FROM syncapi_timeline WHERE room_id = 'blocked'`),
  );
  await server.restart();
  const again = Object.assign(Object.create(alice), { baseUrl: server.baseUrl });
  await server.keyhole.eventLog.retry('syncserver', 'roomserver.output', bad);
  assert.deepEqual(await server.keyhole.eventLog.parked(), []);
  assert.equal((await again.ok('GET', eventIn(bad, lost))).content.body, 'not applied yet');
  // Also those are told who have been told of later things meanwhile.
  for (const from of [since, past]) {
    const { timeline } = (await again.sync({ since: from })).rooms.join[bad];
    const bodies = timeline.events.map(
      (event: { content: { body: string } }) => event.content.body,
    );
    assert.deepEqual(bodies, ['not applied yet', 'nor is what follows']);
  }
}

/** Takes the place in the timeline that the next entry of the log will want. */
async function block({ keyhole }: InProcessServer): Promise<void> {
  const heads = await Promise.all(
    (['roomserver.output', 'userserver.output', 'edu.receipt'] as const).map((topic) =>
      keyhole.eventLog.head(topic),
    ),
  );
  const next = Math.max(...heads) + 1;
  await keyhole.database.transact((tx) =>
    tx.run(sql`
      INSERT INTO syncapi_timeline (position, room_id, kind, type, sender, depth, state_before,
        visibility, linear, contains_url, received_ts)
      VALUES (${next}, 'blocked', 0, '', '', 0, '', 'shared', 1, 0, 0)`),
  );
}

function eventIn(room: string, eventId: string): string {
  return `/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(eventId)}`;
}
