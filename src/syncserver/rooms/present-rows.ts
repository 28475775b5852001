// Rows of a timeline as events for one viewer.

import type { EventId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import { formatEvent, formatForFederation } from '../events/format.ts';
import type { FieldSelection } from '../filter/event-fields.ts';
import { type BundleRequest, bundledRelations } from '../relations/bundled.ts';
import type { TimelineRow } from '../store/timeline.ts';
import { mentionedEvents } from './mentioned.ts';
import { membershipAt, type RoomView } from './room-view.ts';

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
  const { replaced, redactions } = await mentionedEvents(context, view, events.values());
  const relations =
    format.relations && (await relationsOf(context, { view, rows, events }, format));
  const now = context.clock.now();
  return rows.flatMap((row) => {
    const event = events.get(row.eventId);
    if (event === undefined) return [];
    const before = event.replacesState && replaced.get(event.replacesState);
    const eventView = {
      now,
      roomId: format.withRoomId ? view.roomId : undefined,
      transactionId: isOwnDevice(view, row) ? row.transactionId : undefined,
      replacesState: before?.eventId,
      prevContent: before?.json.content,
      redactionIsShown: event.redactedBecause && redactions.has(event.redactedBecause.eventId),
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

/**
 * State events without a place in the timeline. To those outside they say nothing of other events, and to nobody why they
 * were redacted: that may have been before the viewer came, or after she left.
 */
export function presentState(
  context: Pick<SyncserverContext, 'clock'>,
  view: Pick<RoomView, 'roomId' | 'isLooker'>,
  { events, ...format }: EventFormat & { readonly events: Iterable<StoredEvent> },
): JsonObject[] {
  const now = context.clock.now();
  const roomId = format.withRoomId ? view.roomId : undefined;
  return Array.from(events, (event) => {
    const replacesState = view.isLooker ? undefined : event.replacesState;
    const eventView = { now, roomId, replacesState, redactionIsShown: false };
    return present(event, eventView, format);
  });
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
