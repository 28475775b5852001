// Rooms of other servers: joining them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { ROOM_VERSIONS } from '../../src/protocol/roomversions/table.ts';
import { type Backend, forEachBackend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase, text } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

/** A room of Ruth's at `res.test`, and `loc.test`, which is not in it. */
async function setUp(backend: Backend, roomVersion: RoomVersionId = '11') {
  const street = new Neighbourhood();
  const res = await street.start(otherDatabase(), 'res.test');
  const loc = await street.start(backend, 'loc.test');
  const ruth = user('ruth', res);
  const lena = user('lena', loc);
  const roomId = await makeRoom(res, { creator: ruth, roomVersion });
  const join = (userId: UserId = lena, serverNames: string[] = ['res.test']) =>
    loc.api.performJoin({
      roomIdOrAlias: roomId,
      userId,
      serverNames: serverNames as ServerName[],
      content: { displayname: 'Lena' },
    });
  return { street, res, loc, ruth, lena, roomId, join };
}

async function say(server: Neighbour, roomId: RoomId, sender: UserId, body = 'hello') {
  const event = { roomId, sender, type: 'm.room.message', content: text(body) };
  return (await server.api.performSendEvent(event)).eventId;
}

async function isAccepted(server: Neighbour, eventId: EventId): Promise<boolean> {
  return (await server.context.events.get(eventId))?.standing === 'accepted';
}

forEachBackend('joining rooms of other servers', (backend) => {
  for (const roomVersion of ROOM_VERSIONS) {
    it(`joins, receives and sends, version ${roomVersion}`, async () => {
      const { street, res, loc, ruth, lena, roomId, join } = await setUp(backend, roomVersion);
      const { position } = await join();

      const entries = await loc.entries(roomId);
      assert.deepEqual(
        entries.map(({ kind }) => kind),
        ['StateReplaced', 'NewRoomEvent'],
      );
      const [, joined] = entries;
      assert.ok(joined?.kind === 'NewRoomEvent' && joined.position === position);
      assert.deepEqual(joined.event.json.content, { displayname: 'Lena', membership: 'join' });
      assert.equal(joined.sendAs, undefined);
      const there = (await res.entries(roomId)).at(-1);
      assert.ok(there?.kind === 'NewRoomEvent' && there.event.eventId === joined.event.eventId);
      assert.equal(there.sendAs, 'res.test');
      assert.deepEqual(await loc.api.queryRoom({ roomId }), await res.api.queryRoom({ roomId }));

      const hello = await say(res, roomId, ruth);
      assert.deepEqual(await res.push(loc, [hello]), { [hello]: {} });
      assert.ok(await isAccepted(loc, hello));
      const answer = await say(loc, roomId, lena);
      assert.deepEqual(await loc.push(res, [answer]), { [answer]: {} });
      assert.ok(await isAccepted(res, answer));
      assert.deepEqual(
        (await loc.api.queryRoom({ roomId }))?.forwardExtremities,
        (await res.api.queryRoom({ roomId }))?.forwardExtremities,
      );
      await street.close();
    });
  }
});
