// Servers die by kill -9 while they talk to each other: what they have said that they have, to clients or to each other, is
// there when they are back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDisconnection, type TestClient } from '../client.ts';
import { long } from '../long.ts';
import { type ProcessServer, startProcessNetwork } from './process-network.ts';
import { join, stateOf } from './scene.ts';
import { acknowledgedTo, lost } from './storm-findings.ts';

interface Side {
  readonly server: ProcessServer;
  readonly client: TestClient;
  readonly acknowledged: Set<string>;
}

test('nothing is lost that was acknowledged before a server was killed', long, async () => {
  const network = await startProcessNetwork({ servers: 2, seed: 1 });
  try {
    const clients = [await network.server(0).user('ann'), await network.server(1).user('ben')];
    const sides = clients.map(
      (client, index): Side => ({ client, server: network.server(index), acknowledged: new Set() }),
    );
    const [ann, ben] = sides as [Side, Side];
    const room = await ann.client.createRoom({ preset: 'public_chat' });
    await join(ben.client, room, ann.server.name);
    for (const [victim, other] of [
      [ben, ann],
      [ann, ben],
    ] as const) {
      const { length } = acknowledgedTo(network.link(other.server.name, victim.server.name));
      const round = { isOver: false };
      const talking = sides.map((side) => talk(side, room, round));
      // In the middle of what both say, and as soon as the other's last transaction has been answered.
      const isBusy = () =>
        victim.acknowledged.size >= 10 &&
        acknowledgedTo(network.link(other.server.name, victim.server.name)).length > length + 10;
      await network.pump(isBusy, 'much is said on both sides');
      await victim.server.kill();
      round.isOver = true;
      await Promise.all(talking);
      await victim.server.start();
    }
    for (const { client } of sides) {
      const last = await client.send(room, 'here again');
      const path = `/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(last)}`;
      const isSeen = async (one: Side) => (await one.client.call('GET', path)).status === 200;
      const isSeenByAll = async () => (await Promise.all(sides.map(isSeen))).every(Boolean);
      await network.pump(isSeenByAll, 'the last message on both sides');
    }
    for (const [side, other] of [
      [ann, ben],
      [ben, ann],
    ] as const) {
      const byServers = new Set(acknowledgedTo(network.link(other.server.name, side.server.name)));
      const byClients = side.acknowledged.union(other.acknowledged);
      assert.ok(side.acknowledged.size >= 10 && byServers.size >= 10);
      assert.deepEqual(lost(await side.server.stored(room), { byClients, byServers }), []);
    }
    assert.deepEqual(await stateOf(ann.client, room), await stateOf(ben.client, room));
  } finally {
    await network.close();
  }
});

/** Until the round is over, or its server has gone. */
async function talk({ client, acknowledged }: Side, room: string, round: { isOver: boolean }) {
  while (!round.isOver) {
    const sent = client.send(room, `line ${acknowledged.size}`);
    const eventId = await sent.catch((error: unknown) => {
      // The connection broke with the server: it may have the event or not.
      if (isDisconnection(error)) return undefined;
      throw error;
    });
    if (eventId === undefined) return;
    acknowledged.add(eventId);
  }
}
