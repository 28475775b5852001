// What was acknowledged survives kill -9 of the server, once.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isDisconnection } from '../client.ts';
import { createSchema, forEachEngine } from '../contracts/backends.ts';
import { long } from '../long.ts';
import { startServer } from '../server-process.ts';
import {
  checkEverythingIsThereOnce,
  prepareSenders,
  type Sender,
  sendNext,
  sendPending,
} from './senders.ts';

forEachEngine('kills', (postgresUrl) => {
  for (const [kills, options] of [[3, {}] as const, [20, long] as const]) {
    const name = `no acknowledged event is lost or doubled by ${kills} kills of 64 senders`;
    test(name, options, () => checkKills(kills, postgresUrl));
  }
});

async function checkKills(kills: number, postgresUrl: string | undefined): Promise<void> {
  const schema = postgresUrl === undefined ? undefined : await createSchema(postgresUrl);
  const database = schema && { engine: 'postgres', url: schema.url, pool_size: 4 };
  const server = await startServer(database && { database });
  try {
    const senders = await prepareSenders(server.baseUrl);
    for (let kill = 0; kill < kills; kill += 1) {
      const round = { over: false };
      const sending = senders.map((sender) => keepSending(sender, round));
      await new Promise((resolve) => setTimeout(resolve, randomInt(100, 500)));
      round.over = true;
      await server.stop('SIGKILL');
      await Promise.all(sending);
      if (schema === undefined) checkIntegrity(join(server.folder, 'keyhole.db'));
      await server.restart();
      if (kill % 5 === 4) await checkEverythingIsThereOnce(senders);
    }
    for (const { status } of await Promise.all(senders.map(sendPending))) {
      assert.equal(status, 200);
    }
    await checkEverythingIsThereOnce(senders);
    assert.ok(senders.every((sender) => sender.acknowledged.size > 0));
  } finally {
    await server.remove();
    await schema?.remove();
  }
}

async function keepSending(sender: Sender, round: { over: boolean }): Promise<void> {
  try {
    while (!round.over) assert.equal((await sendNext(sender)).status, 200);
  } catch (error) {
    // The connection broke with the server: expected, and the send stays pending.
    if (!isDisconnection(error) || !round.over) throw error;
  }
}

function checkIntegrity(path: string): void {
  const database = new DatabaseSync(path);
  try {
    const row = database.prepare('PRAGMA integrity_check').get();
    assert.deepEqual(Object.values(row ?? {}), ['ok']);
  } finally {
    database.close();
  }
}
