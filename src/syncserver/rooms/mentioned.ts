// What events say in `unsigned` of other events: which state they replaced, and what redacted them. Those others
// may be from a time that the viewer may not see.

import type { EventId } from '../../protocol/identifiers.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import { selectRowsOfEvents } from '../store/timeline.ts';
import type { RoomView } from './room-view.ts';
import { visibleRows } from './visible-rows.ts';

type Needs = Pick<SyncserverContext, 'database' | 'events' | 'roomserver'>;

export interface MentionedEvents {
  /** Those of the replaced events that the viewer may see, for `replaces_state` and `prev_content`. */
  readonly replaced: ReadonlyMap<EventId, StoredEvent>;
  /** Those of the redactions that the viewer may see. Of others she is told that they were, but not what they said. */
  readonly redactions: ReadonlySet<EventId>;
}

export async function mentionedEvents(
  context: Needs,
  view: RoomView,
  events: Iterable<StoredEvent>,
): Promise<MentionedEvents> {
  const replaced: EventId[] = [];
  const redactions: EventId[] = [];
  for (const { replacesState, redactedBecause } of events) {
    if (replacesState !== undefined) replaced.push(replacesState);
    if (redactedBecause !== undefined) redactions.push(redactedBecause.eventId);
  }
  return {
    replaced: replaced.length === 0 ? NO_EVENTS : await replacedEvents(context, view, replaced),
    redactions: redactions.length === 0 ? NO_IDS : await visibleAmong(context, view, redactions),
  };
}

const NO_EVENTS: ReadonlyMap<EventId, StoredEvent> = new Map();
const NO_IDS: ReadonlySet<EventId> = new Set();

async function replacedEvents(
  context: Needs,
  view: RoomView,
  ids: readonly EventId[],
): Promise<ReadonlyMap<EventId, StoredEvent>> {
  const replaced = await context.events.get(ids);
  const restricted = [...replaced.values()].filter((event) => !isOpenTo(view, event));
  if (restricted.length === 0) return replaced;
  const restrictedIds = restricted.map(({ eventId }) => eventId);
  const seen = await visibleAmong(context, view, restrictedIds);
  const hidden = new Set(restrictedIds.filter((id) => !seen.has(id)));
  return new Map([...replaced].filter(([eventId]) => !hidden.has(eventId)));
}

async function visibleAmong(
  context: Needs,
  view: RoomView,
  eventIds: readonly EventId[],
): Promise<ReadonlySet<EventId>> {
  const rows = await selectRowsOfEvents(context.database, eventIds);
  const inReach = rows.filter((row) => row.position <= view.upTo);
  const seen = await visibleRows(context, view, inReach);
  return new Set(seen.map((row) => row.eventId));
}

/** Without looking at when it was. */
function isOpenTo({ isLooker, history }: RoomView, { visibilityAtEvent }: StoredEvent): boolean {
  if (isWorldReadable(visibilityAtEvent)) return true;
  const isJoined = !isLooker && history.at(-1)?.membership === 'join';
  return visibilityAtEvent === 'shared' && isJoined;
}
