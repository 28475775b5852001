// Events in the answers of other servers, read as events of a room: those that are wanted, or that what is wanted refers to.

import { giveWay } from '../../give-way.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { checkFormat } from '../input/check-format.ts';

const EVENTS_PER_TURN = 10;
/** A server that gives so many that are none of the room is not worth more. */
const MAX_STRAY = 100;

export interface OfRoom {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
}

/** Each once; what is none of the room is left out. */
export async function givenPdus(
  value: JsonValue | undefined,
  { roomId, rules }: OfRoom,
  limit: number,
): Promise<Map<EventId, Pdu>> {
  const found = new Map<EventId, Pdu>();
  const list: readonly JsonValue[] = Array.isArray(value) ? value.slice(0, limit) : [];
  let stray = 0;
  for (const [index, json] of list.entries()) {
    if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await giveWay();
    const pdu = checkFormat(json, roomId, rules);
    if (!('fate' in pdu)) found.set(pdu.eventId, pdu);
    else if (++stray === MAX_STRAY) break;
  }
  return found;
}

/** Of the given events those that can be come by from the wanted ones: nobody has asked for the others. */
export function reachable(
  given: ReadonlyMap<EventId, Pdu>,
  wanted: Iterable<EventId>,
  references: (pdu: Pdu) => readonly EventId[],
): Map<EventId, Pdu> {
  const found = new Map<EventId, Pdu>();
  const open = [...wanted];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const pdu = given.get(id);
    if (pdu === undefined || found.has(id)) continue;
    found.set(id, pdu);
    open.push(...references(pdu));
  }
  return found;
}
