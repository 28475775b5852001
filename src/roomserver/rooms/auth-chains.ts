// Auth chains of stored events, loaded breadth first.

import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomDraft } from './room-draft.ts';

export type EventMap = Map<EventId, EventRecord>;

/** The given events and all that is reachable from them by auth events, m.room.create included. */
export async function loadAuthChains(room: RoomDraft, start: Iterable<EventId>): Promise<EventMap> {
  const found: EventMap = new Map();
  let wanted = new Set(start);
  const { createEventId } = room.head;
  if (createEventId !== undefined) wanted.add(createEventId);
  while (wanted.size > 0) {
    const next = new Set<EventId>();
    for (const [id, record] of await room.events(wanted)) {
      found.set(id, record);
      for (const authEvent of record.pdu.authEvents) {
        if (!found.has(authEvent)) next.add(authEvent);
      }
    }
    for (const id of found.keys()) next.delete(id);
    wanted = next;
  }
  return found;
}
