// Auth chains of stored events.

import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import type { ServingContext } from './access.ts';
import { loadInChunks } from './load-in-chunks.ts';

/**
 * The given events, and all that is reachable from them by auth events. By depth, so that honest events come after what they
 * rest on: there are servers for which of two events of one state key the later given holds.
 */
export async function authChainOf(
  { events }: Pick<ServingContext, 'events'>,
  start: Iterable<EventId>,
): Promise<EventRecord[]> {
  const seen = new Set<EventId>(start);
  const chain: EventRecord[] = [];
  for (let level = [...seen]; level.length > 0; ) {
    const records = await loadInChunks(events, level);
    chain.push(...records);
    level = [];
    for (const id of records.flatMap(({ pdu }) => pdu.authEvents)) {
      if (!seen.has(id)) level.push(id);
      seen.add(id);
    }
  }
  return chain.toSorted((one, other) => one.pdu.depth - other.pdu.depth);
}
