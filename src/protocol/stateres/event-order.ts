// The comparisons that orderings of events share.

import type { Pdu } from '../events/pdu.ts';

/** Earlier `origin_server_ts` first, then smaller event id. */
export function compareAge(x: Pdu, y: Pdu): number {
  return x.originServerTs - y.originServerTs || compareIds(x.eventId, y.eventId);
}

/** By code points: ids of room versions 1 and 2 may hold any, and UTF-16 units order some differently. */
export function compareIds(x: string, y: string): number {
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    const difference = rank(x.charCodeAt(i)) - rank(y.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/** Surrogates stand for code points above all that one unit can hold. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
