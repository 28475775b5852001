// Walks of a room's history from given events backwards, along prev_events, in large steps: what is next to each other
// in history is read at once.

import type { PduJson } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import { selectEventIdsUpTo } from '../store/events.ts';
import type { Access, ServingContext } from './access.ts';
import { Sight } from './sight.ts';

interface Walk {
  readonly access: Access;
  readonly start: readonly EventId[];
  readonly limit: number;
}

/** Rejected events are passed over, and do not count; without a bound a server could make chains of them. */
const MAX_STEPS = 1_000;

/** The events and what comes before them, deepest first. */
export async function deepestFirst(context: ServingContext, walk: Walk): Promise<EventRecord[]> {
  const found: EventRecord[] = [];
  const seen = new Set<EventId>(walk.start);
  let edge = await placed(context, walk, walk.start);
  await readAhead(context, walk, edge);
  for (let step = 0; step < MAX_STEPS && found.length < walk.limit; step++) {
    const next = edge.reduce<EventRecord | undefined>(deeper, undefined);
    if (next === undefined) break;
    if (next.standing !== 'rejected') found.push(next);
    const before = next.pdu.prevEvents.filter((id) => !seen.has(id));
    for (const id of before) seen.add(id);
    edge = edge.filter((one) => one !== next);
    edge.push(...(await placed(context, walk, before)));
  }
  return found;
}

function deeper(best: EventRecord | undefined, one: EventRecord): EventRecord {
  return best === undefined || one.pdu.depth > best.pdu.depth ? one : best;
}

export interface Gap extends Walk {
  /** Known to who asks: neither given nor gone beyond. */
  readonly known: readonly EventId[];
  readonly minDepth: number;
}

/** What comes before the given events, breadth first, without themselves. */
export async function breadthFirst(context: ServingContext, gap: Gap): Promise<EventRecord[]> {
  const found: EventRecord[] = [];
  const seen = new Set<EventId>([...gap.known, ...gap.start]);
  let level = await placed(context, gap, gap.start);
  await readAhead(context, gap, level);
  for (let steps = 0; steps < MAX_STEPS && level.length > 0; ) {
    const before: EventId[] = [];
    for (const id of level.flatMap(({ pdu }) => pdu.prevEvents)) {
      if (!seen.has(id)) before.push(id);
      seen.add(id);
    }
    level = (await placed(context, gap, before)).filter(({ pdu }) => pdu.depth >= gap.minDepth);
    for (const record of level) {
      if (record.standing === 'rejected') continue;
      found.push(record);
      if (found.length === gap.limit) return found;
    }
    steps += level.length;
  }
  return found;
}

/** Those that have a place in the history of the room, in the order of the request. */
async function placed(
  { events }: ServingContext,
  { access }: Walk,
  ids: readonly EventId[],
): Promise<EventRecord[]> {
  const records = await events.load(ids);
  return ids
    .flatMap((id) => records.get(id) ?? [])
    .filter(({ roomId, standing }) => roomId === access.head.roomId && standing !== 'outlier');
}

/** Into the cache of events: most of what the walk will come to. */
async function readAhead(
  { database, events }: ServingContext,
  { access, limit }: Walk,
  edge: readonly EventRecord[],
): Promise<void> {
  if (edge.length === 0) return;
  const depth = Math.max(...edge.map(({ pdu }) => pdu.depth));
  const { roomId } = access.head;
  await events.load(await selectEventIdsUpTo(database, { roomId, depth, limit }));
}

/** As the origin may see them. */
export async function shownTo(
  context: ServingContext,
  access: Access,
  records: readonly EventRecord[],
): Promise<PduJson[]> {
  const sight = new Sight(context, access);
  const shown: PduJson[] = [];
  for (const record of records) shown.push(await sight.shown(record));
  return shown;
}
