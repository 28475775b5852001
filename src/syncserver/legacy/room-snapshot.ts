// A room as the initialSync endpoints show it: its newest messages, and its state.

import type { JsonObject } from '../../protocol/json.ts';
import type { SyncserverContext } from '../context.ts';
import { compileEventFilter } from '../filter/event-filter.ts';
import { before, pointOf } from '../rooms/points.ts';
import { presentRows, presentState } from '../rooms/present-rows.ts';
import { readPage } from '../rooms/read-page.ts';
import { membershipAt, type RoomView } from '../rooms/room-view.ts';
import { encodePaginationToken, encodeSyncToken, type SyncToken } from '../tokens.ts';
import { withUserId } from './legacy-events.ts';

const EVERYTHING = compileEventFilter({});
/** A knock is none in this format. */
const MEMBERSHIPS: readonly (string | undefined)[] = ['invite', 'join', 'leave', 'ban'];

export interface SnapshotRequest {
  readonly view: RoomView;
  readonly limit: number;
  /** Goes on after the messages. */
  readonly end: SyncToken;
  /** Of the viewer, in this room. */
  readonly accountData: readonly JsonObject[];
}

export async function roomSnapshot(
  context: SyncserverContext,
  { view, limit, end, accountData }: SnapshotRequest,
): Promise<JsonObject> {
  const { roomId } = view;
  const membership = membershipAt(view.history, view.upTo)?.membership;
  const { published } = await context.roomserver.queryPublished({ roomId });
  return {
    room_id: roomId,
    ...(MEMBERSHIPS.includes(membership) && { membership }),
    messages: { ...(await messagesOf(context, view, limit)), end: encodeSyncToken(end) },
    state: await stateOf(context, view),
    visibility: published ? 'public' : 'private',
    account_data: accountData,
  };
}

/** The newest, in order. */
async function messagesOf(
  context: SyncserverContext,
  view: RoomView,
  limit: number,
): Promise<JsonObject> {
  const last = await pointOf(context, view.roomId, { kind: 'stream', position: view.upTo });
  const page = await readPage(context, {
    view,
    filter: EVERYTHING,
    isBackwards: true,
    from: last,
    to: undefined,
    limit,
  });
  const rows = page.rows.toReversed();
  const chunk = await presentRows(context, view, { rows, withRoomId: true });
  const { depth, position } = page.end ?? before(rows[0] ?? last);
  return {
    chunk: chunk.map(withUserId),
    start: encodePaginationToken({ kind: 'topological', depth, position }),
  };
}

async function stateOf(context: SyncserverContext, view: RoomView): Promise<JsonObject[]> {
  const { roomId, endState: snapshot } = view;
  const { entries } = await context.roomserver.queryStateIds({ roomId, snapshot, members: 'all' });
  const events = await context.events.get(entries.map((entry) => entry.eventId));
  const state = presentState(context, view, { events: events.values(), withRoomId: true });
  return state.map(withUserId);
}
