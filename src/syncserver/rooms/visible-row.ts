// One event of a room that a request names.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { selectRowsOfEvents, type TimelineRow } from '../store/timeline.ts';
import type { RoomView } from './room-view.ts';
import { visibleOrCurrentRows } from './visible-rows.ts';

/** Throws M_NOT_FOUND, also when the viewer may not know. */
export async function findVisibleRow(
  context: Pick<SyncserverContext, 'database' | 'roomserver' | 'events'>,
  view: RoomView,
  eventId: EventId,
): Promise<TimelineRow> {
  const rows = await selectRowsOfEvents(context.database, [eventId]);
  const here = rows.filter((row) => row.roomId === view.roomId && row.position <= view.upTo);
  const [visible] = await visibleOrCurrentRows(context, view, here);
  return visible ?? noSuchEvent();
}

export function noSuchEvent(): never {
  throw new MatrixError('M_NOT_FOUND', 'There is no such event, or you may not see it');
}
