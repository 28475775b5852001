// What the server that a room is looked into through has not heard of yet: that somebody of this server has just left. Its
// snapshot would bring her back.

import { type ServerName, serverNameOf } from '../../protocol/identifiers.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { Extremity } from '../rooms/room-head.ts';

/** Those of the room's extremities that end a membership which all given ones still have. */
export async function untoldExtremities(
  room: RoomDraft,
  given: readonly Extremity[],
  serverName: ServerName,
): Promise<Extremity[]> {
  const untold: Extremity[] = [];
  for (const extremity of room.head.extremities) {
    const record = await room.event(extremity.eventId);
    if (record?.stateBefore === undefined || record.pdu.type !== 'm.room.member') continue;
    const { stateKey } = record.pdu;
    if (stateKey === undefined || serverNameOf(record.pdu.sender) !== serverName) continue;
    const ended = await room.states.get(record.stateBefore, 'm.room.member', stateKey);
    if (ended !== undefined && (await haveAll(room, given, { stateKey, ended }))) {
      untold.push(extremity);
    }
  }
  return untold;
}

async function haveAll(
  room: RoomDraft,
  extremities: readonly Extremity[],
  { stateKey, ended }: { readonly stateKey: string; readonly ended: string },
): Promise<boolean> {
  for (const { stateAfter } of extremities) {
    if ((await room.states.get(stateAfter, 'm.room.member', stateKey)) !== ended) return false;
  }
  return true;
}
