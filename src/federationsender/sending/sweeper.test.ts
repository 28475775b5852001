// What has been sent is deleted, whoever else has been dead for long.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import { sql } from '../../database/sql.ts';
import { type Harness, joinedState, message, openHarness } from '../testing.ts';

const MINUTE_MS = 60_000;

async function kept({ database }: Harness): Promise<string[]> {
  const found = await database.all<{ json: string }>(
    sql`SELECT json FROM federationsender_pdus ORDER BY position`,
  );
  return found.map(({ json }) => JSON.parse(json).content.id);
}

forEachBackend('sweeping', (backend) => {
  describe('events of a room with a server that lives and one that is dead', () => {
    it('goes as far as nobody waits for them', async () => {
      const harness = await openHarness(backend);
      const { room, settled, network, later } = harness;
      network.down('dead.example');
      await room(joinedState('@alice:us.example', '@bob:b.example', '@carol:dead.example'));
      await room(message('one'));
      await settled();
      await room(...['two', 'three', 'four'].map((id) => message(id)));
      await settled();
      assert.deepEqual(await kept(harness), ['one', 'two', 'three', 'four']);
      await until(async () => {
        await later(MINUTE_MS);
        return (await kept(harness)).length < 4;
      }, 'the sweeper');
      assert.deepEqual(await kept(harness), ['one', 'four'], 'under way, and the last');
      network.up('dead.example');
      const before = network.sent('dead.example').length;
      const since = () =>
        network
          .sent('dead.example')
          .slice(before)
          .flatMap(({ pdus }) => pdus);
      await until(async () => {
        await later(10 * MINUTE_MS);
        return since().includes('four');
      }, 'it catches up');
      assert.deepEqual(since(), ['one', 'four']);
    });
  });
});
