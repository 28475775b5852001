// What somebody may do who looks into a room of another server: be banned from it, look again as anybody may, see its media.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestClient } from '../client.ts';
import { Looker } from './looker.ts';
import { type ComposedServer, type Network, startNetwork } from './network.ts';
import { roomPath, WORLD_READABLE } from './peeking-scene.ts';

describe('who looks into a room of another server', () => {
  let network: Network<ComposedServer>;
  let alice: TestClient;
  let bob: TestClient;

  before(async () => {
    network = await startNetwork({ servers: 2, roomVersion: '11', clock: 'manual' });
    alice = await network.server(0).user('alice');
    bob = await network.server(1).user('bob');
  });
  after(() => network.close());

  const there = () => network.server(0).name;
  const ban = (roomId: string, action: 'ban' | 'unban') =>
    alice.ok('POST', `${roomPath(roomId)}/${action}`, { user_id: bob.userId });

  test('is banned: sees it, and no more, and may look again', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const looker = await Looker.at(network, bob, [roomId, there()]);
    await alice.send(roomId, 'before');
    await looker.sees('before');
    await ban(roomId, 'ban');
    await alice.send(roomId, 'after');
    await looker.until(() => looker.sections.at(-1) === 'leave', 'the end of the look');
    const last = looker.events.at(-1);
    assert.deepEqual([last.type, last.content.membership], ['m.room.member', 'ban']);
    assert.deepEqual(looker.bodies, ['before']);

    const again = await Looker.at(network, bob, [roomId, there()]);
    await alice.send(roomId, 'to everybody');
    await again.sees('to everybody');
    const join = await bob.call('POST', `/v3/join/${encodeURIComponent(roomId)}`, {});
    assert.deepEqual([join.status, join.body.errcode], [403, 'M_FORBIDDEN']);
    await ban(roomId, 'unban');
    await alice.send(roomId, 'the end');
    await again.sees('the end');
    assert.equal(again.sections.at(-1), 'peek');
  });

  test('sees the media that are shown in it', async () => {
    const roomId = await alice.createRoom(WORLD_READABLE);
    const looker = await Looker.at(network, bob, [roomId, there()]);
    const headers = { authorization: `Bearer ${alice.token}`, 'content-type': 'text/plain' };
    const upload = await fetch(`${network.server(0).baseUrl}/_matrix/media/v3/upload`, {
      method: 'POST',
      headers,
      body: 'a picture',
    });
    const { content_uri: uri } = (await upload.json()) as { content_uri: string };
    await alice.ok('PUT', `${roomPath(roomId)}/send/m.room.message/media`, {
      msgtype: 'm.file',
      body: 'file',
      url: uri,
    });
    await looker.sees('file');
    const shown = looker.events.at(-1).content.url.slice('mxc://'.length);
    const path = `/_matrix/client/v1/media/download/${shown}`;
    const ask = (token?: string) =>
      fetch(`${network.server(1).baseUrl}${path}`, {
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      });
    const answer = await network.inTime(ask(bob.token));
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), 'a picture');
    assert.equal((await ask()).status, 401);
  });
});
