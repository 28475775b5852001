// Rows of a timeline as events for one viewer.

import type { EventId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import { formatEvent, formatForFederation } from '../events/format.ts';
import type { FieldSelection } from '../filter/event-fields.ts';
import { type BundleRequest, bundledRelations } from '../relations/bundled.ts';
import { selectRowsOfEvents, type TimelineRow } from '../store/timeline.ts';
import { membershipAt, type RoomView } from './room-view.ts';
import { visibleRows } from './visible-rows.ts';

type Needs = Pick<SyncserverContext, 'database' | 'clock' | 'events' | 'roomserver'>;

export interface EventFormat {
  /** False where the response says it elsewhere. */
  readonly withRoomId: boolean;
  readonly federationFormat?: boolean;
  readonly fields?: FieldSelection | undefined;
  /** What relates to each event is summed up in `unsigned.m.relations`. */
  readonly relations?: 'all' | 'no threads' | undefined;
}

/** In the order given; what cannot be shown any more is left out. */
export async function presentRows(
  context: Needs,
  view: RoomView,
  { rows, ...format }: EventFormat & { readonly rows: readonly TimelineRow[] },
): Promise<JsonObject[]> {
  const events = await context.events.get(rows.map((row) => row.eventId));
  const previous = await previousEvents(context, view, events.values());
  const relations =
    format.relations && (await relationsOf(context, { view, rows, events }, format));
  const now = context.clock.now();
  return rows.flatMap((row) => {
    const event = events.get(row.eventId);
    if (event === undefined) return [];
    const replaced = event.replacesState && previous.get(event.replacesState);
    const eventView = {
      now,
      roomId: format.withRoomId ? view.roomId : undefined,
      transactionId: isOwnDevice(view, row) ? row.transactionId : undefined,
      prevContent: replaced?.json.content,
      membership: membershipOf(view, row),
      relations: relations?.get(row.eventId),
    };
    return [present(event, eventView, format)];
  });
}

async function relationsOf(
  context: Needs,
  of: Pick<BundleRequest, 'view' | 'rows' | 'events'>,
  format: EventFormat,
): Promise<ReadonlyMap<EventId, JsonObject>> {
  return bundledRelations(context, {
    ...of,
    withThreads: format.relations === 'all',
    present: async (row) => {
      const nested = { ...format, relations: 'no threads', rows: [row] } as const;
      const [child] = await presentRows(context, of.view, nested);
      return child;
    },
  });
}

/** State events without a place in the timeline. */
export function presentState(
  context: Pick<SyncserverContext, 'clock'>,
  view: Pick<RoomView, 'roomId'>,
  { events, ...format }: EventFormat & { readonly events: Iterable<StoredEvent> },
): JsonObject[] {
  const now = context.clock.now();
  const roomId = format.withRoomId ? view.roomId : undefined;
  return Array.from(events, (event) => present(event, { now, roomId }, format));
}

function present(
  event: StoredEvent,
  view: Parameters<typeof formatEvent>[1],
  { federationFormat = false, fields }: EventFormat,
): JsonObject {
  const format = federationFormat ? formatForFederation : formatEvent;
  const formatted = format(event, view);
  return fields === undefined ? formatted : fields(formatted);
}

function isOwnDevice({ viewer }: RoomView, row: TimelineRow): boolean {
  return row.sender === viewer.userId && row.deviceId === viewer.deviceId;
}

/** Left out where order of arrival does not tell it. */
function membershipOf({ history }: RoomView, row: TimelineRow): string | undefined {
  if (!row.linear) return undefined;
  return membershipAt(history, row.position)?.membership ?? 'leave';
}

/** Those of the replaced events that the viewer may see, for `prev_content`. */
async function previousEvents(
  context: Needs,
  view: RoomView,
  events: Iterable<StoredEvent>,
): Promise<ReadonlyMap<EventId, StoredEvent>> {
  const ids = [...events].flatMap(({ replacesState }) => replacesState ?? []);
  if (ids.length === 0) return new Map();
  const previous = await context.events.get(ids);
  const restricted = [...previous.values()].filter((event) => !isOpenTo(view, event));
  if (restricted.length === 0) return previous;
  const rows = await selectRowsOfEvents(
    context.database,
    restricted.map((event) => event.eventId),
  );
  const seen = await visibleRows(context, view, rows);
  const seenIds = new Set(seen.map((row) => row.eventId));
  const hidden = new Set(restricted.map(({ eventId }) => eventId).filter((id) => !seenIds.has(id)));
  return new Map([...previous].filter(([eventId]) => !hidden.has(eventId)));
}

/** Without looking at when it was. */
function isOpenTo({ isLooker, history }: RoomView, { visibilityAtEvent }: StoredEvent): boolean {
  if (visibilityAtEvent === 'world_readable') return true;
  const isJoined = !isLooker && history.at(-1)?.membership === 'join';
  return visibilityAtEvent === 'shared' && isJoined;
}
