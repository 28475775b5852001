// The comparisons that orderings of events share.

import type { Pdu } from '../events/pdu.ts';

/** Earlier `origin_server_ts` first, then smaller event id. */
export function compareAge(x: Pdu, y: Pdu): number {
  return x.originServerTs - y.originServerTs || compareIds(x.eventId, y.eventId);
}

/** By code points: ids of room versions 1 and 2 may hold any, and UTF-16 units order some differently. */
export function compareIds(x: string, y: string): number {
  return x === y ? 0 : Buffer.compare(Buffer.from(x), Buffer.from(y));
}
