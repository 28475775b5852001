// The event that is closest to a time. Times are what servers claim, and mostly rise with depth, by which events are
// found: the search narrows down where the time stands, and then looks at what is around there.

import { MatrixError } from '../../protocol/error.ts';
import type { EventRecord } from '../event-record.ts';
import type { ServingApi } from '../serving-api.ts';
import { selectDepthRange, selectEventIdsFrom, selectEventIdsUpTo } from '../store/events.ts';
import { type Access, accessOf, type ServingContext } from './access.ts';
import { Sight } from './sight.ts';

type Request = Parameters<ServingApi['queryTimestampToEventFor']>[0];

/** Events whose times are that far out of order are found all the same. */
const AROUND = 100;

export async function queryTimestampToEventFor(
  context: ServingContext,
  request: Request,
): ReturnType<ServingApi['queryTimestampToEventFor']> {
  const access = await accessOf(context, request);
  const candidates = (await around(context, request)).filter(({ pdu: { originServerTs } }) =>
    request.dir === 'f' ? originServerTs >= request.ts : originServerTs <= request.ts,
  );
  const found = await closest(context, access, { candidates, ts: request.ts });
  if (found === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such event');
  return { eventId: found.pdu.eventId, originServerTs: found.pdu.originServerTs };
}

async function closest(
  context: ServingContext,
  access: Access,
  { candidates, ts }: { candidates: readonly EventRecord[]; ts: number },
): Promise<EventRecord | undefined> {
  const sight = new Sight(context, access);
  const distance = ({ pdu }: EventRecord) => Math.abs(pdu.originServerTs - ts);
  for (const record of candidates.toSorted((a, b) => distance(a) - distance(b))) {
    if (await sight.sees(record)) return record;
  }
  return undefined;
}

/** What has a place in history around the depth at which the time is reached. */
async function around(context: ServingContext, { roomId, ts }: Request): Promise<EventRecord[]> {
  const { database, events } = context;
  const depth = await depthAt(context, { roomId, ts });
  if (depth === undefined) return [];
  const before = await selectEventIdsUpTo(database, { roomId, depth: depth - 1, limit: AROUND });
  const after = await selectEventIdsFrom(database, { roomId, depth, limit: AROUND });
  const records = await events.load([...before, ...after]);
  return [...records.values()].filter(
    ({ standing }) => standing === 'accepted' || standing === 'old',
  );
}

/** The least depth at which an event has the time or a later one, as if times rose with depth. */
async function depthAt(
  { database, events }: ServingContext,
  { roomId, ts }: Pick<Request, 'roomId' | 'ts'>,
): Promise<number | undefined> {
  const range = await selectDepthRange(database, roomId);
  if (range === undefined) return undefined;
  let { least: low, greatest: high } = range;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const [id] = await selectEventIdsFrom(database, { roomId, depth: middle, limit: 1 });
    const record = id && (await events.get(id));
    if (record && record.pdu.originServerTs < ts) low = Math.max(middle, record.pdu.depth) + 1;
    else high = middle;
  }
  return low;
}
