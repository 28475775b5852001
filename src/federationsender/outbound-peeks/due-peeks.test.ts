// What is due of our looks, where time goes on while it is looked up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/until.ts';
import { ManualClock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { silentLogger } from '../../logger.ts';
import { DuePeeks } from './due-peeks.ts';

test('what falls due while it is looked for is not missed', async () => {
  const clock = new ManualClock(0);
  const row = { room_id: '!r:b', server: 'b', peek_id: 'p', status: 'active', next_ts: 5 };
  let isDone = false;
  let looks = 0;
  const all = async () => {
    looks += 1;
    if (looks > 1) return isDone ? [] : [row];
    clock.advance(10);
    return [];
  };
  const get = async ({ parameters }: Sql) => ({
    next_ts: !isDone && row.next_ts > Number(parameters[0]) ? row.next_ts : null,
  });
  const database = { all, get } as unknown as Database;
  const see = async () => {
    isDone = true;
  };
  const due = new DuePeeks({ database, clock, logger: silentLogger, see });
  due.look();
  await until(() => {
    clock.advance(0);
    return isDone;
  });
  await due.close();
  assert.ok(looks >= 2, `${looks} looks`);
});
