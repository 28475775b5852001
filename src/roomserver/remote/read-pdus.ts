// Events of another server's answer as events of a room.

import { giveWay } from '../../give-way.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { checkFormat } from '../input/check-format.ts';
import { BadAnswer } from './bad-answer.ts';

/** Each is hashed for its id: others get their turn of the event loop in between. */
const EVENTS_PER_TURN = 10;

/** Of proper format, whatever else they are: what is not is dropped, as when it is received. Throws BadAnswer for those of another room. */
export async function readPdus(
  events: readonly unknown[],
  { roomId, rules }: { readonly roomId: RoomId; readonly rules: RoomVersionRules },
): Promise<Pdu[]> {
  const pdus: Pdu[] = [];
  for (const [index, json] of events.entries()) {
    if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await giveWay();
    const pdu = checkFormat(json, roomId, rules);
    if (!('fate' in pdu)) pdus.push(pdu);
    else if (pdu.rule !== 'format')
      throw new BadAnswer(`an event is no event of the room: ${pdu.reason}`);
  }
  return pdus;
}
