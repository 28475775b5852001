// A queue gives way little by little: what is lost when that ends half way, or when the destination lives again meanwhile.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Backend, forEachBackend } from '../../../test/contracts/backends.ts';
import { until } from '../../../test/until.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { sql } from '../../database/sql.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import { selectDestinationIds, updateSucceeded } from '../store/destinations.ts';
import { countQueue } from '../store/queue.ts';
import { type Harness, joinedState, message, openHarness, ROOM } from '../testing.ts';
import { collapse } from './collapse.ts';

const BOB = 'b.example' as ServerName;
const QUEUED = 250;

interface Scene extends Harness {
  readonly id: number;
  readonly queued: () => Promise<number>;
  /** Names of events sent since. */
  readonly sent: () => string[];
}

/** One that has answered before, fails since a moment ago, and has so many events queued, one of them under way. */
async function failing(backend: Backend): Promise<Scene> {
  const harness = await openHarness(backend);
  const { room, settled, network, database } = harness;
  await room(joinedState('@alice:us.example', `@bob:${BOB}`), message('before'));
  await settled();
  network.down(BOB);
  await room(message('1'));
  await settled();
  await room(...Array.from({ length: QUEUED - 1 }, (_, n) => message(`${n + 2}`)));
  await settled();
  const id = (await selectDestinationIds(database, [BOB])).get(BOB) ?? 0;
  const begun = network.sent(BOB).length;
  return {
    ...harness,
    id,
    queued: () => countQueue(database, id, 1_000),
    sent: () =>
      network
        .sent(BOB)
        .slice(begun)
        .flatMap(({ pdus }) => pdus),
  };
}

/** Before the second unit of work something else happens. */
function interrupted(database: Database, before: (tx: Transaction) => Promise<void>): Database {
  let units = 0;
  const transact: Database['transact'] = async (body) => {
    units += 1;
    if (units === 2) await database.transact(before);
    return database.transact(body);
  };
  return { transact } as Database;
}

async function backAgain({ network, later, sent }: Scene): Promise<string[]> {
  network.up(BOB);
  await until(async () => {
    await later(10_000);
    return sent().includes(`${QUEUED}`);
  }, 'the last event');
  await later(10_000);
  return sent();
}

const names = (from: number) => Array.from({ length: QUEUED - from + 1 }, (_, n) => `${from + n}`);

forEachBackend('collapsing a queue', (backend) => {
  describe('of one that fails', () => {
    it('leaves what is under way, and the last event', async () => {
      const scene = await failing(backend);
      await collapse(scene.database, scene.id);
      assert.equal(await scene.queued(), 1);
      assert.deepEqual(await backAgain(scene), ['1', `${QUEUED}`]);
    });

    it('loses nothing when it ends half way', async () => {
      const scene = await failing(backend);
      const ends = async () => {
        throw new Error('the process ends');
      };
      await assert.rejects(collapse(interrupted(scene.database, ends), scene.id), /ends/);
      assert.equal(await scene.queued(), QUEUED - 100);
      const restarted = await scene.restart();
      const again = { ...scene, ...restarted };
      await again.room(message('not queued'));
      await again.settled();
      assert.equal(await countQueue(again.database, scene.id, 1_000), QUEUED - 100);
      const sent = await backAgain(again);
      assert.deepEqual(sent, ['1', ...names(102), 'not queued']);
      await again.room(message('queued again'));
      await again.settled();
      assert.equal(again.sent().at(-1), 'queued again');
    });

    it('goes on after the next failure', async () => {
      const scene = await failing(backend);
      const ends = async () => {
        throw new Error('no disk');
      };
      await assert.rejects(collapse(interrupted(scene.database, ends), scene.id), /disk/);
      await scene.later(10_000);
      await until(async () => (await scene.queued()) === 1, 'the rest');
      assert.deepEqual(await backAgain(scene), ['1', '1', `${QUEUED}`]);
    });

    it('ends when it lives again', async () => {
      const scene = await failing(backend);
      const { database, id } = scene;
      await collapse(
        interrupted(database, (tx) => updateSucceeded(tx, id)),
        id,
      );
      assert.equal(await scene.queued(), QUEUED - 100);
      scene.network.up(BOB);
      const again = { ...scene, ...(await scene.restart()) };
      await again.settled();
      assert.deepEqual(again.sent(), ['1', ...names(102), `${QUEUED}`]);
      assert.equal(await countQueue(again.database, id, 1), 0);
    });

    it('takes the later end of what was missed of a room that it has left', async () => {
      const scene = await failing(backend);
      const { database, id } = scene;
      const until = 1_000_000;
      await database.transact(async (tx) => {
        await tx.run(sql`DELETE FROM federationsender_hosts WHERE destination_id = ${id}`);
        await tx.run(sql`
          INSERT INTO federationsender_missed (destination_id, room_id, until_position)
          VALUES (${id}, ${ROOM}, ${until})`);
      });
      await collapse(database, id);
      const found = await database.get(sql`
        SELECT until_position AS until FROM federationsender_missed WHERE destination_id = ${id}`);
      assert.deepEqual(found, { until });
    });
  });
});
