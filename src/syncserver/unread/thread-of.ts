// Which thread an event is in (Client-Server API, "Threaded read receipts").

import type { EventId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { selectRowsOfEvents, type TimelineRow } from '../store/timeline.ts';

export const MAIN_THREAD = 'main';
/** As the specification recommends. */
const MAX_HOPS = 3;

/** The id of the thread's root, or `main`. */
export async function threadOf(
  { database }: Pick<SyncserverContext, 'database'>,
  row: TimelineRow,
): Promise<EventId | typeof MAIN_THREAD> {
  let current: TimelineRow | undefined = row;
  for (let hop = 0; current?.relatesTo !== undefined && hop <= MAX_HOPS; hop += 1) {
    if (current.relType === 'm.thread') return current.relatesTo;
    const parents: TimelineRow[] = await selectRowsOfEvents(database, [current.relatesTo]);
    current = parents.find((parent) => parent.roomId === row.roomId);
  }
  return MAIN_THREAD;
}
