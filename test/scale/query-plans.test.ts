// No request may read through a whole table: every statement that the examples of all endpoints, a purge and a
// restart cause is explained, and has to find its rows by an index.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it, test } from 'node:test';
import { collapse } from '../../src/federationsender/sending/collapse.ts';
import { selectDestinationIds } from '../../src/federationsender/store/destinations.ts';
import { joinedState, message, openHarness } from '../../src/federationsender/testing.ts';
import type { ServerName } from '../../src/protocol/identifiers.ts';
import { forEachBackend } from '../contracts/backends.ts';
import { EXAMPLES } from '../spec/examples/all.ts';
import { startSpecServer } from '../spec/spec-server.ts';
import { World } from '../spec/world.ts';
import { until } from '../until.ts';

/** What is read as a whole, and why that does no harm. */
const ALLOWED: readonly (readonly [text: string, scan: string, reason: string])[] = [
  ['FROM roomserver_purges', 'SCAN roomserver_purges', 'only rooms that are just being removed'],
  ['FROM syncapi_purges', 'SCAN syncapi_purges', 'only rooms that are just being removed'],
  ['FROM eventlog_parked AS p', 'SCAN p', 'only what is parked'],
  ['FROM syncapi_peek_interest', 'SCAN syncapi_peek_interest', 'read at start, and by time'],
  ['SELECT DISTINCT room_id FROM syncapi_peeks', 'SCAN syncapi_peeks', 'read once, at start'],
  ['roomserver_outbound_peeks', 'SCAN roomserver_outbound_peeks', 'read once, at start'],
  ['FROM roomserver_peek_interest', 'SCAN roomserver_peek_interest', 'read once, at start'],
  ['AS count FROM roomserver_staged_pdus', 'SCAN roomserver_staged_pdus', 'read once, at start'],
  ['FROM roomserver_lacking_members', 'SCAN roomserver_lacking_members', 'read once, at start'],
  ["status = 'active'", 'SCAN federationsender_outbound_peeks', 'read once, at start'],
  ["status = 'pending'", 'SCAN federationsender_outbound_peeks', 'written once, at start'],
  ['SET answered = proven', 'SCAN federationsender_destinations', 'a migration'],
  ['SET away = 1 WHERE destination_id IN', 'SCAN federationsender_destinations', 'a migration'],
  ['AS counted', 'SCAN counted', 'so many at most'],
  ['AS first_ones', 'SCAN first_ones', 'so many at most'],
  ['AS due', 'SCAN due', 'only what is to be done now'],
  ['AS summed', 'SCAN summed', 'so many at most'],
  ['FROM roomserver_published p', 'SCAN p', 'the list is what is asked for'],
];

/** Migrations of columns that there are no more: they cannot be explained. */
const PAST = ["SELECT room_id, '', latest FROM federationsender_rooms"];

interface PlanRow {
  readonly detail: string;
}

const seen = new Map<string, DatabaseSync>();
const { prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.prepare = function remembering(text, ...options) {
  if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text)) seen.set(text, this);
  return prepare.call(this, text, ...options);
};

test('every statement finds its rows by an index', async () => {
  const server = await startSpecServer();
  try {
    const world = await World.create(server);
    for (const [id, example] of Object.values(EXAMPLES).flatMap((topic) => Object.entries(topic))) {
      if (example.success === undefined) continue;
      const operation = { getEvents: 'peekEvents', inviteBy3PID: 'inviteUser' }[id] ?? id;
      await world.call(operation, await example.success(world));
    }
    await server.purge(world.room);
    assert.ok(seen.size > 120, `${seen.size} statements`);
    assert.deepEqual([...seen].flatMap(scansOf), []);
  } finally {
    await server.close();
  }
});

forEachBackend('also where a server is dead for long', (backend) => {
  it('finds its rows by an index', { skip: backend.engine !== 'sqlite' }, async () => {
    seen.clear();
    const { room, append, settled, later, network, database } = await openHarness(backend);
    network.down('b.example');
    await room(joinedState('@alice:us.example', '@bob:b.example'), message('first'));
    await settled();
    await room(message('second'));
    await append('userserver.output', '@alice:us.example', { kind: 'SigningKeysChanged' });
    for (let n = 0; n < 3; n += 1) await later(3_600_000);
    const [id] = (await selectDestinationIds(database, ['b.example' as ServerName])).values();
    await collapse(database, id ?? 0);
    network.up('b.example');
    await until(async () => {
      await later(3_600_000);
      return network.sent('b.example').at(-1)?.edus.length === 1;
    }, 'it has caught up');
    assert.deepEqual([...seen].flatMap(scansOf), []);
  });
});

function scansOf([text, database]: [string, DatabaseSync]): string[] {
  if (!database.isOpen || PAST.some((part) => text.includes(part))) return [];
  const plan = prepare.call(database, `EXPLAIN QUERY PLAN ${text}`).all() as unknown as PlanRow[];
  const isAllowed = (detail: string) =>
    ALLOWED.some(([part, scan]) => text.includes(part) && detail.startsWith(scan));
  const scans = plan
    .map(({ detail }) => detail)
    .filter((one) => isTableScan(one) && !isAllowed(one));
  return scans.map((scan) => `${scan}: ${text.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
}

/** Rows that came with the statement, and those of a recursion, are no table. */
function isTableScan(detail: string): boolean {
  if (/AUTOMATIC/.test(detail)) return true;
  return (
    /^SCAN /.test(detail) && !/VIRTUAL TABLE|VALUES|CONSTANT ROW|\(subquery|related/.test(detail)
  );
}
