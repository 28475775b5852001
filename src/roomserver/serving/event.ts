// One event, for another server that has seen its id somewhere.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import type { ServingApi } from '../serving-api.ts';
import { accessOf, type ServingContext } from './access.ts';
import { Sight } from './sight.ts';

export async function queryEventFor(
  context: ServingContext,
  { origin, eventId }: Parameters<ServingApi['queryEventFor']>[0],
): ReturnType<ServingApi['queryEventFor']> {
  const record = await servedEvent(context, eventId);
  const access = await accessOf(context, { origin, roomId: record.roomId });
  const sight = new Sight(context, access);
  // History from outside has holes, and stays connected all the same by backfill.
  if (!access.isMember && !(await sight.discloses(record))) {
    throw new MatrixError('M_FORBIDDEN', 'The server may not see the event');
  }
  return { event: await sight.shown(record) };
}

/** Throws M_NOT_FOUND for events that are not known, were rejected, or are of another room. */
export async function servedEvent(
  { events }: Pick<ServingContext, 'events'>,
  eventId: EventId,
  roomId?: RoomId,
): Promise<EventRecord> {
  const record = await events.get(eventId);
  const isHere = record !== undefined && (roomId ?? record.roomId) === record.roomId;
  if (!isHere || record.standing === 'rejected') {
    throw new MatrixError('M_NOT_FOUND', 'No such event');
  }
  return record;
}
