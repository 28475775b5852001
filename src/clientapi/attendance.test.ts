import assert from 'node:assert/strict';
import { test } from 'node:test';
import { register } from '../../test/client.ts';
import { startInProcess } from '../../test/server-in-process.ts';
import { until } from '../../test/until.ts';
import { ManualClock } from '../clock.ts';
import type { Presence } from '../eventlog/entries.ts';
import type { UserId } from '../protocol/identifiers.ts';
import { Attendance } from './attendance.ts';

const ALICE = '@alice:example.org' as UserId;
const MINUTE = 60_000;

function start() {
  const clock = new ManualClock();
  const told: (Presence & { readonly userId: string })[] = [];
  let known: object | undefined = { presence: 'online', last_active_ago: MINUTE, status_msg: 'hi' };
  const attendance = new Attendance({
    clock,
    syncserver: { queryPresence: async () => known },
    eventLog: {
      publishEphemeral: (_topic: string, userId: string, entry: Presence) =>
        told.push({ userId, ...entry }),
    },
  } as unknown as ConstructorParameters<typeof Attendance>[0]);
  const pass = async (ms: number) => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  const know = (presence: object | undefined) => {
    known = presence;
  };
  return { clock, told, attendance, pass, know };
}

test('who is not seen for longer than any poll takes is offline, once', async () => {
  const { clock, told, attendance, pass } = start();
  attendance.note(ALICE);
  await pass(5 * MINUTE);
  attendance.note(ALICE);
  await pass(5 * MINUTE);
  assert.equal(told.length, 0);
  await pass(MINUTE);
  const at = clock.now() - MINUTE;
  const offline = { userId: ALICE, presence: 'offline', statusMsg: 'hi' };
  assert.deepEqual(
    told.map(({ lastActiveTs: _, ...others }) => others),
    [offline],
  );
  assert.ok(told.every(({ lastActiveTs }) => Math.abs(lastActiveTs - at) <= MINUTE));
  await pass(60 * MINUTE);
  assert.equal(told.length, 1);
});

test('who has come back, or has said that she is offline, is not told of again', async () => {
  const { told, attendance, pass, know } = start();
  attendance.note(ALICE);
  know({ presence: 'offline' });
  await pass(6 * MINUTE);
  assert.deepEqual(told, []);
  know({ presence: 'online' });
  attendance.note(ALICE);
  await pass(5 * MINUTE);
  const leaving = pass(MINUTE);
  attendance.note(ALICE);
  await leaving;
  assert.deepEqual(told, []);
});

test('a user of the server who syncs no more is offline to others', async () => {
  const server = await startInProcess();
  try {
    const alice = await register(server.baseUrl, 'alice');
    await alice.sync();
    const path = `/v3/presence/${encodeURIComponent(alice.userId)}/status`;
    const isNow = async (presence: string) => (await alice.ok('GET', path)).presence === presence;
    assert.ok(await isNow('online'));
    server.clock.advance(6 * MINUTE);
    await until(() => isNow('offline'), 'alice is offline');
    await alice.sync();
    assert.ok(await isNow('online'));
  } finally {
    await server.close();
  }
});
