// What relates to an event, summed up in its `unsigned.m.relations` (Client-Server API, "Aggregations of child
// events").

import type { EventId } from '../../protocol/identifiers.ts';
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import { BEGINNING, END } from '../rooms/points.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import {
  type RelationCount,
  selectRelated,
  selectRelationCounts,
  selectReplacements,
} from '../store/relations.ts';
import type { TimelineRow } from '../store/timeline.ts';

type Needs = Pick<SyncserverContext, 'database' | 'events' | 'roomserver'>;

/** Of each event no more edits, and no more of a thread that cannot be seen, are looked at. */
const MAX_CANDIDATES = 50;
const MAX_REFERENCES = 200;

export interface BundleRequest {
  readonly view: RoomView;
  readonly rows: readonly TimelineRow[];
  readonly events: ReadonlyMap<EventId, StoredEvent>;
  /** Shows a child in the form of its parent, with what relates to it but without threads: they do not nest. */
  readonly present: (child: TimelineRow) => Promise<JsonObject | undefined>;
  readonly withThreads: boolean;
}

/** `m.relations` of those rows that have any. */
export async function bundledRelations(
  context: Needs,
  request: BundleRequest,
): Promise<ReadonlyMap<EventId, JsonObject>> {
  // State events get none.
  const parents = request.rows.filter((row) => row.stateKey === undefined);
  if (parents.length === 0) return new Map();
  const { roomId, viewer, ignored, isLooker, upTo } = request.view;
  const counts = await selectRelationCounts(context.database, {
    roomId,
    parents: parents.map((row) => row.eventId),
    viewer: viewer.userId,
    ignored: [...ignored].filter((userId) => userId !== viewer.userId),
    worldReadableOnly: isLooker,
    upTo,
  });
  if (counts.length === 0) return new Map();
  const byParent = Map.groupBy(counts, (count) => count.parent);
  const bundles = new Map<EventId, JsonObject>();
  for (const parent of parents) {
    const found = byParent.get(parent.eventId);
    const bundle = found && (await bundleOf({ context, request, parent }, found));
    if (bundle !== undefined) bundles.set(parent.eventId, bundle);
  }
  return bundles;
}

interface Children {
  readonly context: Needs;
  readonly request: BundleRequest;
  readonly parent: TimelineRow;
  readonly count: RelationCount;
}

const SUMMARIES: Readonly<Record<string, (of: Children) => Promise<JsonObject | undefined>>> = {
  'm.thread': thread,
  'm.replace': replacement,
  'm.reference': references,
};

async function bundleOf(
  of: Omit<Children, 'count'>,
  counts: readonly RelationCount[],
): Promise<JsonObject | undefined> {
  const bundle: Record<string, JsonValue> = {};
  for (const count of counts) {
    const summary = await SUMMARIES[count.relType]?.({ ...of, count });
    if (summary !== undefined) bundle[count.relType] = summary;
  }
  return Object.keys(bundle).length === 0 ? undefined : bundle;
}

async function thread(of: Children): Promise<JsonObject | undefined> {
  const { context, request, parent, count } = of;
  const { view, withThreads } = request;
  // What is itself related to something starts no thread.
  if (!withThreads || parent.relType !== undefined) return undefined;
  const newest = await related(of, { relType: 'm.thread', limit: MAX_CANDIDATES });
  const [latest] = await visibleRows(context, view, newest);
  const event = latest && (await request.present(latest));
  if (event === undefined) return undefined;
  return {
    latest_event: event,
    count: count.count,
    current_user_participated: count.hasOwn || parent.sender === view.viewer.userId,
  };
}

/** The most recent valid edit ("Validity of replacement events"). */
async function replacement({
  context,
  request: { view, events, present },
  parent,
}: Children): Promise<JsonObject | undefined> {
  const original = events.get(parent.eventId);
  const isEditable = original !== undefined && original.redactedBecause === undefined;
  if (!isEditable || parent.relType === 'm.replace') return undefined;
  const { roomId, eventId, sender, type } = parent;
  const edits = await selectReplacements(context.database, {
    roomId,
    eventId,
    sender,
    type,
    upTo: view.upTo,
    limit: MAX_CANDIDATES,
  });
  const visible = await visibleRows(context, view, edits);
  const bodies = await context.events.get(visible.map((row) => row.eventId));
  const valid = visible.filter((row) => hasNewContent(bodies.get(row.eventId)));
  const latest = valid.reduce<TimelineRow | undefined>(
    (one, other) => (one === undefined || isMoreRecent(bodies, other, one) ? other : one),
    undefined,
  );
  return latest && present(latest);
}

/** Of encrypted events it is not to be seen. */
function hasNewContent(event: StoredEvent | undefined): boolean {
  if (event === undefined) return false;
  return (
    event.json.type === 'm.room.encrypted' || event.json.content['m.new_content'] !== undefined
  );
}

function isMoreRecent(
  bodies: ReadonlyMap<EventId, StoredEvent>,
  one: TimelineRow,
  other: TimelineRow,
): boolean {
  const timeOf = ({ eventId }: TimelineRow) => Number(bodies.get(eventId)?.json.origin_server_ts);
  const difference = timeOf(one) - timeOf(other);
  return difference > 0 || (difference === 0 && one.eventId > other.eventId);
}

async function references(of: Children): Promise<JsonObject | undefined> {
  const { context, request } = of;
  const newest = await related(of, { relType: 'm.reference', limit: MAX_REFERENCES });
  const visible = await visibleRows(context, request.view, newest);
  if (visible.length === 0) return undefined;
  return { chunk: visible.toReversed().map((row) => ({ event_id: row.eventId })) };
}

/** The newest first. */
function related(
  { context, request, parent }: Children,
  { relType, limit }: { readonly relType: string; readonly limit: number },
): Promise<TimelineRow[]> {
  const { roomId, upTo } = request.view;
  const kinship = { roomId, eventId: parent.eventId, relType, eventType: '', maxHops: 1 };
  const stretch = { after: BEGINNING, last: END, upTo, latestFirst: true, limit };
  return selectRelated(context.database, kinship, stretch);
}
