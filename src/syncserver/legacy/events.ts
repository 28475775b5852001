// GET /events: the stream from the time before /sync, which today's clients use to look into rooms. Of one room,
// for lookers too; without a room, all that concerns the user.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { noteSighting } from '../peeks/note-sighting.ts';
import { membershipAt } from '../rooms/room-view.ts';
import { checkNotAhead } from '../sync/sync.ts';
import { waitForChange } from '../sync/wait.ts';
import { encodeSyncToken, parseSyncToken, type SyncToken } from '../tokens.ts';
import { rememberedEnd } from './initial-sync-end.ts';
import { legacyToken } from './legacy-token.ts';
import { standingIn } from './standing.ts';
import type { Chunk, Stream, StreamRoom } from './stream.ts';
import { streamInvites, streamOthers } from './stream-others.ts';
import { streamRows } from './stream-rows.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export interface EventsRequest {
  readonly viewer: Viewer;
  readonly roomId?: RoomId;
  readonly from?: string;
  /** Of events of rooms. */
  readonly limit?: number;
  /** ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Errors: M_FORBIDDEN, M_INVALID_PARAM, M_UNKNOWN_POS. */
export async function events(
  context: SyncserverContext,
  request: EventsRequest,
): Promise<JsonObject> {
  const { userId, deviceId } = request.viewer;
  const since = await startOf(context, request);
  const letGo = context.interest.deviceWaits(userId, deviceId);
  try {
    const { events: chunk, end } = await following(context, request, since);
    return { start: request.from ?? encodeSyncToken(since), chunk, end: encodeSyncToken(end) };
  } finally {
    letGo();
  }
}

async function startOf(context: SyncserverContext, request: EventsRequest): Promise<SyncToken> {
  const { viewer, roomId = '', from } = request;
  const given = from === undefined ? undefined : parseSyncToken(from, 'from');
  const since = given ?? (await rememberedEnd(context, { viewer, roomId }));
  if (since === undefined) return legacyToken(context);
  await checkNotAhead(context, since);
  return since;
}

/** Waits until there is something to tell or time is over. */
async function following(
  context: SyncserverContext,
  request: EventsRequest,
  since: SyncToken,
): Promise<Chunk> {
  const { viewer, timeoutMs, signal } = request;
  const limit = Math.min(Math.max(request.limit ?? DEFAULT_LIMIT, 1), MAX_LIMIT);
  const deadline = context.clock.now() + timeoutMs;
  const ignored = new Set(await context.userserver.queryIgnoredUsers({ userId: viewer.userId }));
  for (let told = since, isFirst = true; ; isFirst = false) {
    const user = await context.live.user(viewer.userId);
    // From here to the stream's start in one turn: version, positions and memory belong together.
    const { version } = user;
    if (isFirst) noteSighting(context, viewer, user);
    const now = legacyToken(context, told);
    const nowTs = context.clock.now();
    const rooms = roomsOf(request, { user, since: told, now, nowTs, ignored });
    if (rooms === undefined && isFirst) throw notAllowed();
    // What ends while it is waited for ends the wait; the next request is told so.
    if (rooms === undefined) return { events: [], end: told };
    const isGlobal = request.roomId === undefined;
    const stream = { context, viewer, user, since: told, now, rooms, isGlobal, ignored };
    const chunk = await chunkOf({ ...stream, limit });
    const isCut = chunk.end.rooms < now.rooms;
    if (chunk.events.length > 0) return chunk;
    told = chunk.end;
    if (isCut) continue;
    if (signal?.aborted === true || context.clock.now() >= deadline) return chunk;
    const { deviceId } = viewer;
    const { clock } = context;
    await waitForChange({ user, deviceId, version, clock, until: deadline, signal });
  }
}

/** When not all events fit, the rest of what is new comes with the last of them. */
async function chunkOf(stream: Stream): Promise<Chunk> {
  const { since, now } = stream;
  const { events: rows, cutAt } = await streamRows(stream);
  const upTo = cutAt ?? now.rooms;
  const invites = await streamInvites({ ...stream, now: { ...now, rooms: upTo } });
  const placed = [...rows, ...invites].sort((one, other) => one.position - other.position);
  // An invite may be among the events that its room shows to everybody.
  const ofRooms = [...new Map(placed.map(({ event }) => [event.event_id, event])).values()];
  if (cutAt !== undefined) return { events: ofRooms, end: { ...since, rooms: upTo } };
  return { events: [...ofRooms, ...(await streamOthers(stream))], end: now };
}

interface Moment {
  readonly user: LiveUser;
  readonly since: SyncToken;
  readonly now: SyncToken;
  /** ms since the epoch. */
  readonly nowTs: number;
  readonly ignored: ReadonlySet<UserId>;
}

/** Undefined: the room that is asked for is not to be followed. */
function roomsOf(
  { viewer, roomId }: EventsRequest,
  moment: Moment,
): ReadonlyMap<RoomId, StreamRoom> | undefined {
  const { user, now, ignored } = moment;
  if (roomId === undefined) return ownRooms(viewer, moment);
  const standing = standingIn({ viewer, roomId, ...moment });
  if (standing === undefined) return undefined;
  const { isMember, isLooker, upTo } = standing;
  const history = user.memberships.get(roomId) ?? [];
  const view = { viewer, roomId, isLooker, history, upTo: Math.min(upTo, now.rooms), ignored };
  return new Map([[roomId, { view, isMember, whileJoined: false }]]);
}

/** Those that the user is in, or was since. */
function ownRooms(
  viewer: Viewer,
  { user, since, now, ignored }: Moment,
): ReadonlyMap<RoomId, StreamRoom> {
  const rooms = new Map<RoomId, StreamRoom>();
  for (const [roomId, history] of user.memberships) {
    const last = membershipAt(history, now.rooms);
    const isMember = last?.membership === 'join';
    const isNews = (last?.position ?? 0) > since.rooms;
    if (last?.forgotten === true || (!isMember && !isNews)) continue;
    const view = { viewer, roomId, isLooker: false, history, upTo: now.rooms, ignored };
    rooms.set(roomId, { view, isMember, whileJoined: true });
  }
  return rooms;
}

function notAllowed(): MatrixError {
  return new MatrixError(
    'M_FORBIDDEN',
    'You are neither in the room nor looking into it, and there is nothing left to tell',
  );
}
