// A server that ends between what is logged and what comes of it: after the next start everything is as if it had
// never stopped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceId, RoomId, UserId } from '../../src/protocol/identifiers.ts';
import { register, type TestClient } from '../client.ts';
import { startInProcess } from '../server-in-process.ts';
import { bodies, ids, isWhole, Scene, sectionsOf, types } from './scene.ts';

const LIFETIME_MS = 3_600_000;

function peekOf(client: TestClient, room: string) {
  return {
    userId: client.userId as UserId,
    deviceId: client.deviceId as DeviceId,
    via: 'sync' as const,
    roomId: room as RoomId,
  };
}

async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const server = await startInProcess();
  try {
    await body(new Scene(server, await register(server.baseUrl, 'member')));
  } finally {
    await server.close();
  }
}

test('peeks that were logged but not consumed begin, end and close after the next start', () =>
  withScene(async (scene) => {
    const { server, member } = scene;
    const [begun, ended, closed] = [
      await scene.openRoom(),
      await scene.openRoom(),
      await scene.openRoom(),
    ];
    const client = await scene.newUser();
    const { since: first } = await scene.looking(ended, client);
    const { since } = await scene.looking(closed, client);
    assert.notEqual(first, since);
    const { roomserver, syncserver } = server.keyhole.components;
    await syncserver.close();
    const start = { ...peekOf(client, begun), roomIdOrAlias: begun, serverNames: [] };
    await roomserver.api.performPeek(start);
    await roomserver.api.performUnpeek(peekOf(client, ended));
    const { eventId: closing } = await roomserver.api.performSendEvent({
      roomId: closed as RoomId,
      sender: member.userId as UserId,
      type: 'm.room.history_visibility',
      stateKey: '',
      content: { history_visibility: 'joined' },
    });
    await server.restart();
    const { rooms } = await scene.again(client).sync({ since });
    assert.deepEqual(Object.keys(rooms.peek), [begun]);
    assert.ok(isWhole(rooms.peek[begun]));
    assert.deepEqual(rooms.leave[ended], {});
    assert.deepEqual(ids(rooms.leave[closed]), [closing]);
  }));

test('a peek that expires while the server is down is told as ended, with what came before', () =>
  withScene(async (scene) => {
    const room = await scene.openRoom();
    const { client, since } = await scene.looking(room);
    await scene.member.send(room, 'before');
    await scene.server.restart();
    scene.server.clock.advance(LIFETIME_MS);
    await scene.again(scene.member).send(room, 'after');
    const again = scene.again(client);
    const answer = await again.sync({ since });
    assert.deepEqual(sectionsOf(answer, room), ['leave']);
    assert.deepEqual(bodies(answer.rooms.leave[room]), ['before']);
    await scene.server.restart();
    const { rooms } = await scene.again(client).sync({ since });
    assert.deepEqual(rooms, answer.rooms);
  }));

test('a timer that was set before a restart ends the wait of a device after it', () =>
  withScene(async (scene) => {
    const room = await scene.openRoom();
    const { client, since } = await scene.looking(room);
    scene.server.clock.advance(LIFETIME_MS - 5_000);
    await scene.server.restart();
    const again = scene.again(client);
    const { next_batch: next } = await again.sync({ since });
    const waiting = again.sync({ since: next, timeout: '30000' });
    await scene.server.untilWaiting(client);
    scene.server.clock.advance(5_000);
    assert.deepEqual((await waiting).rooms, { leave: { [room]: {} } });
  }));

test('joining after a restart builds on what the peek had sent before it', () =>
  withScene(async (scene) => {
    const room = await scene.openRoom({ preset: 'public_chat' });
    const { client, since } = await scene.looking(room);
    await scene.server.restart();
    const again = scene.again(client);
    await again.ok('POST', `/v3/join/${encodeURIComponent(room)}`, {});
    await scene.server.restart();
    const { rooms } = await scene.again(client).sync({ since });
    assert.deepEqual(Object.keys(rooms), ['join']);
    assert.deepEqual(types(rooms.join[room]), ['m.room.member']);
    assert.deepEqual(types(rooms.join[room], 'state'), []);
  }));
