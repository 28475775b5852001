// The connections to PostgreSQL break again and again while many send: requests fail cleanly, the server recovers by
// itself, and what was acknowledged is there once, in history and for who follows by /sync.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSchema, onPostgres } from '../contracts/backends.ts';
import { type LossyProxy, openLossyProxy } from '../contracts/lossy-proxy.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { until } from '../until.ts';
import { checkEverythingIsThereOnce, prepareSenders, type Sender, sendNext } from './senders.ts';

const SENDERS = 16;
const LOSSES = 9;
const RECOVERY_MS = 20_000;

interface Load {
  isOver: boolean;
  /** What requests were answered with: status and errcode. */
  readonly answers: Set<string>;
}

onPostgres('lost connections', (serverUrl) => {
  test(`no acknowledged event is lost or doubled by ${LOSSES} losses of all connections`, async (t) => {
    const schema = await createSchema(serverUrl);
    const proxy = await openLossyProxy(schema.url);
    const database = { engine: 'postgres', url: proxy.url, pool_size: 4 };
    let running: ServerProcess | undefined;
    t.after(async () => {
      await running?.remove();
      await proxy.close();
      await schema.remove();
    });
    const server = await startServer({ database });
    running = server;
    const ways = [schema.terminate, () => cutFor(proxy, 300), () => loseCommit(proxy)];
    const senders = await prepareSenders(server.baseUrl, SENDERS);
    const load: Load = { isOver: false, answers: new Set() };
    const following = follow(senders, load);
    const sending = Promise.all(senders.map((sender) => keepSending(sender, load)));
    // What goes wrong first is told where it is awaited, not what follows from the server being stopped then.
    for (const one of [following, sending]) one.catch(() => {});
    for (let loss = 0; loss < LOSSES; loss += 1) {
      await sleep(200);
      await ways[loss % ways.length]?.();
    }
    await sleep(200);
    load.isOver = true;
    await sending;
    const others = load.answers.difference(new Set(['200', '500 M_UNKNOWN']));
    assert.deepEqual([...others], [], server.output());
    await checkEverythingIsThereOnce(senders);
    await following;
  });
});

async function cutFor(proxy: LossyProxy, ms: number): Promise<void> {
  proxy.cut();
  await sleep(ms);
  proxy.heal();
}

/** The server has committed, and is not told. */
async function loseCommit(proxy: LossyProxy): Promise<void> {
  const before = proxy.lost();
  proxy.loseNextCommit();
  await until(() => proxy.lost() > before, 'a COMMIT that succeeds');
}

/** Until the load is over, and its own last message has been acknowledged. */
async function keepSending(sender: Sender, load: Load): Promise<void> {
  const deadline = performance.now() + RECOVERY_MS;
  while (!load.isOver || sender.pending !== undefined) {
    const { status, errcode } = await sendNext(sender);
    load.answers.add(status === 200 ? '200' : `${status} ${errcode}`);
    if (status !== 200) await sleep(20);
    if (performance.now() > deadline) throw new Error(`no recovery: ${status} ${errcode}`);
  }
  assert.ok(sender.acknowledged.size > 0);
}

/** Resolves when the first sender has been told, once, of every acknowledged event of her room. */
async function follow(senders: readonly Sender[], load: Load): Promise<void> {
  const { client, roomId } = senders[0] as Sender;
  const inRoom = senders.filter((sender) => sender.roomId === roomId);
  const filter = JSON.stringify({ room: { timeline: { limit: 1000 } } });
  const told: string[] = [];
  const acknowledged = () => inRoom.flatMap((sender) => [...sender.acknowledged.values()]);
  const isComplete = () => load.isOver && inRoom.every((sender) => sender.pending === undefined);
  const deadline = performance.now() + 2 * RECOVERY_MS;
  let since = '';
  while (!isComplete() || acknowledged().some((id) => !told.includes(id))) {
    if (performance.now() > deadline) {
      const missing = acknowledged().filter((id) => !told.includes(id));
      throw new Error(`/sync did not tell of ${missing.length} events: ${missing.slice(0, 3)}`);
    }
    const query = new URLSearchParams({ timeout: '500', filter, ...(since && { since }) });
    const { status, body } = await client.call('GET', `/v3/sync?${query}`);
    load.answers.add(status === 200 ? '200' : `${status} ${body.errcode}`);
    if (status !== 200) continue;
    since = body.next_batch;
    const { events = [], limited = false } = body.rooms?.join?.[roomId]?.timeline ?? {};
    assert.equal(limited, false);
    told.push(...events.map((event: { event_id: string }) => event.event_id));
  }
  assert.equal(new Set(told).size, told.length, 'something was told twice');
}
