// What a whole state can be taken without: in every big room there are events of servers that are gone for good, and cannot be
// verified any more.

import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';

/** What a room cannot be without: where one of these cannot be verified, or what it rests on, nothing is taken. */
const ESSENTIAL = new Set([
  'm.room.create',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.history_visibility',
]);

export function isDispensable(type: string): boolean {
  return !ESSENTIAL.has(type);
}

export function isMember({ json }: PduRecord): boolean {
  return json.type === 'm.room.member';
}

/** Of the state, those that were given and are not among the known; undefined where it cannot be without one of them. */
export function leftOutOf(
  {
    stateIds,
    events,
  }: { readonly stateIds: readonly EventId[]; readonly events: readonly PduRecord[] },
  known: ReadonlySet<EventId>,
): PduRecord[] | undefined {
  const given = new Map(events.map((event) => [event.eventId, event]));
  const absent = stateIds.filter((id) => !known.has(id)).map((id) => given.get(id));
  const leftOut = absent.filter((event) => event !== undefined);
  const isTaken = leftOut.length === absent.length;
  return isTaken && leftOut.every(({ json }) => isDispensable(json.type)) ? leftOut : undefined;
}
