// A room of one server, of which another is to become part.

import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import type { Backend } from '../contracts/backends.ts';
import { makeRoom, otherDatabase, text } from './harness.ts';
import { type Neighbour, Neighbourhood, user } from './neighbours.ts';

/** A room of Ruth's at `res.test`, and `loc.test`, which is not in it. */
export async function setUp(backend: Backend, roomVersion: RoomVersionId = '11') {
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

export async function say(server: Neighbour, roomId: RoomId, sender: UserId, body = 'hello') {
  const event = { roomId, sender, type: 'm.room.message', content: text(body) };
  return (await server.api.performSendEvent(event)).eventId;
}

export async function isAccepted(server: Neighbour, eventId: EventId): Promise<boolean> {
  return (await server.context.events.get(eventId))?.standing === 'accepted';
}
