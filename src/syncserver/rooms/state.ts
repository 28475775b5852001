// State and members of a room, as the viewer may know them.

import { MatrixError } from '../../protocol/error.ts';
import { readProfile } from '../../protocol/events/content.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { selectTimeline } from '../store/timeline.ts';
import { parsePaginationToken } from '../tokens.ts';
import { queryAccess, viewRoom } from './access.ts';
import { presentState } from './present-rows.ts';
import type { RoomView } from './room-view.ts';
import { stateAt } from './state-at.ts';
import { seesStateAt } from './visible-rows.ts';

interface Place {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
}

/** `GET /rooms/{roomId}/state`. Errors: M_FORBIDDEN. */
export async function state(context: SyncserverContext, place: Place): Promise<JsonObject[]> {
  const view = await viewRoom(context, place);
  const { roomId, endState: snapshot } = view;
  const { entries } = await context.roomserver.queryStateIds({ roomId, snapshot, members: 'all' });
  const events = await context.events.get(entries.map((entry) => entry.eventId));
  return presentState(context, view, { events: events.values(), withRoomId: true });
}

/** `GET /rooms/{roomId}/state/{type}/{stateKey}`. Errors: M_FORBIDDEN, M_NOT_FOUND. */
export async function stateEvent(
  context: SyncserverContext,
  place: Place & { readonly type: string; readonly stateKey: string },
): Promise<JsonObject> {
  const view = await viewRoom(context, place);
  const [event] = await context.roomserver.queryStateEvents({
    roomId: view.roomId,
    snapshot: view.endState,
    keys: [{ type: place.type, stateKey: place.stateKey }],
  });
  if (event === undefined) throw new MatrixError('M_NOT_FOUND', 'The room has no such state');
  const [formatted = {}] = presentState(context, view, { events: [event], withRoomId: true });
  return formatted;
}

export interface MembersRequest extends Place {
  readonly at?: string;
  readonly membership?: string;
  readonly notMembership?: string;
}

/** `GET /rooms/{roomId}/members`. Errors: M_FORBIDDEN, M_INVALID_PARAM. */
export async function members(
  context: SyncserverContext,
  request: MembersRequest,
): Promise<JsonObject> {
  const view = await viewRoom(context, request);
  const snapshot = await snapshotOf(context, view, request.at);
  const events = await memberEvents(context, view.roomId, snapshot);
  const wanted = events.filter(({ json }) => isWanted(request, String(json.content.membership)));
  return { chunk: presentState(context, view, { events: wanted, withRoomId: true }) };
}

/** Both filters given: either suffices. */
function isWanted({ membership, notMembership }: MembersRequest, value: string): boolean {
  if (membership === undefined && notMembership === undefined) return true;
  const isNotExcluded = notMembership !== undefined && value !== notMembership;
  return value === membership || isNotExcluded;
}

async function snapshotOf(
  context: SyncserverContext,
  view: RoomView,
  at: string | undefined,
): Promise<string> {
  const { roomId, upTo, endState, isLooker, history } = view;
  if (at === undefined) return endState;
  const { position } = parsePaginationToken(at, 'at');
  // Those outside are shown no state but the current one.
  if (isLooker || position >= upTo) return endState;
  const range = { roomId, after: 0, upTo: position, limit: 1 };
  const [row] = await selectTimeline(context.database, range);
  if (row === undefined) return endState;
  if (await seesStateAt(context, view, row)) return row.currentState;
  // From a time that the viewer may not see: as she found the room when she came.
  const join = history.find((one) => one.position > position && one.membership === 'join');
  return (join && (await stateAt(context, roomId, join.position))) ?? endState;
}

async function memberEvents(
  { roomserver, events }: SyncserverContext,
  roomId: RoomId,
  snapshot: string,
): Promise<StoredEvent[]> {
  const { entries } = await roomserver.queryStateIds({ roomId, snapshot, members: 'only' });
  return [...(await events.get(entries.map((entry) => entry.eventId))).values()];
}

/** `GET /rooms/{roomId}/joined_members`. Errors: M_FORBIDDEN. */
export async function joinedMembers(context: SyncserverContext, place: Place): Promise<JsonObject> {
  if ((await queryAccess(context, place)) !== 'joined') {
    throw new MatrixError('M_FORBIDDEN', 'You are not a member of the room');
  }
  const view = await viewRoom(context, place);
  const events = await memberEvents(context, view.roomId, view.endState);
  const joined = events.filter(({ json }) => json.content.membership === 'join');
  return {
    joined: Object.fromEntries(joined.map(({ json }) => [json.state_key, member(json.content)])),
  };
}

function member(content: JsonObject): JsonObject {
  const { displayname, avatarUrl } = readProfile(content);
  return {
    ...(displayname !== undefined && { display_name: displayname }),
    ...(avatarUrl !== undefined && { avatar_url: avatarUrl }),
  };
}
