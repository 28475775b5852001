// Many stored events without a statement as long as the room is large; others are served between the chunks.

import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import type { Events } from '../events.ts';

const CHUNK = 500;

/** In the order of the request; what is not known is left out. */
export async function loadInChunks(
  events: Events,
  ids: readonly EventId[],
): Promise<EventRecord[]> {
  const found: EventRecord[] = [];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = ids.slice(start, start + CHUNK);
    const records = await events.load(chunk);
    for (const id of chunk) {
      const record = records.get(id);
      if (record !== undefined) found.push(record);
    }
    // The event loop is let go even where all of it was in the cache.
    await new Promise(setImmediate);
  }
  return found;
}
