// An event that a client names, which has to be one of the room that it names too.

import { MatrixError } from '../protocol/error.ts';
import { Pdu } from '../protocol/events/pdu.ts';
import type { EventId, RoomId } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';

/** Throws M_NOT_FOUND. */
export async function findEventInRoom(
  { roomserver }: { readonly roomserver: Pick<RoomserverApi, 'queryEvents'> },
  roomId: RoomId,
  eventId: EventId,
): Promise<Pdu> {
  const [stored] = await roomserver.queryEvents({ eventIds: [eventId] });
  const event = stored === undefined ? undefined : Pdu.from(stored);
  if (event?.roomId !== roomId) {
    throw new MatrixError('M_NOT_FOUND', 'There is no such event in this room');
  }
  return event;
}
