// Spaces and summaries of rooms, for local users and for other servers.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomSummary, RoomserverApi, SpaceRoom } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { RoomSummaries } from '../directory/room-summaries.ts';
import { isReadable } from '../membership/is-here.ts';
import { candidateServers } from '../remote/candidates.ts';
import { locateRoom } from '../resolve-room.ts';
import { residentHead } from '../serving/access.ts';
import { selectMembership } from '../store/memberships.ts';
import { mayServerKnow, mayUserKnow, mayUserKnowRemote, membershipIn } from './access.ts';
import { encodeHierarchyToken, readHierarchyToken } from './hierarchy-token.ts';
import { LocalSpaces } from './local-spaces.ts';
import { type Budget, RemoteSpaces } from './remote-spaces.ts';
import { isSuggested } from './space-child.ts';
import { type SpacesContext, walkSpace } from './walk.ts';

type SpacesApi = Pick<RoomserverApi, 'querySpace' | 'queryRoomSummary' | 'querySpaceFor'>;

/** Of one request: what others are asked, and for how long, ms. */
const MAX_REQUESTS = 60;
const MAX_TIME_MS = 30_000;
const MAX_DEPTH = 20;
/** Of a space, that another server is told of. */
const MAX_SERVED = 500;

export function createSpacesApi(context: RoomserverContext): SpacesApi {
  const local = new LocalSpaces(context, new RoomSummaries(context));
  const spaces: SpacesContext = { ...context, local, remote: new RemoteSpaces(context) };
  return {
    querySpace: (request) => querySpace(spaces, request),
    queryRoomSummary: (request) => queryRoomSummary(spaces, request),
    querySpaceFor: (request) => querySpaceFor(spaces, request),
  };
}

function budgetOf({ clock }: SpacesContext): Budget {
  return { requests: MAX_REQUESTS, until: clock.now() + MAX_TIME_MS };
}

async function querySpace(
  context: SpacesContext,
  { roomId, userId, limit, from, ...request }: Parameters<SpacesApi['querySpace']>[0],
): ReturnType<SpacesApi['querySpace']> {
  const { suggestedOnly } = request;
  const maxDepth = Math.min(request.maxDepth ?? MAX_DEPTH, MAX_DEPTH);
  const before = readHierarchyToken(from, { suggestedOnly, maxDepth });
  const servers = await candidateServers(context, { roomId, userId, serverNames: [] });
  const budget = budgetOf(context);
  const walk = walkSpace(
    context,
    { roomId, servers, depth: 0 },
    { userId, suggestedOnly, maxDepth, budget },
  );
  const rooms: SpaceRoom[] = [];
  let met = 0;
  let goesOn = false;
  for await (const room of walk) {
    goesOn = room === 'outOfBudget' || rooms.length === limit;
    if (room === 'outOfBudget' || goesOn) break;
    if (met++ >= before) rooms.push(room);
  }
  if (met === 0) throw new MatrixError('M_FORBIDDEN', 'You are not allowed to view this room');
  if (!goesOn) return { rooms };
  const shown = Math.max(before, met);
  return { rooms, nextBatch: encodeHierarchyToken({ shown, suggestedOnly, maxDepth }) };
}

async function queryRoomSummary(
  context: SpacesContext,
  { roomIdOrAlias, userId, serverNames }: Parameters<SpacesApi['queryRoomSummary']>[0],
): Promise<RoomSummary & { membership: string }> {
  const { roomId, servers } = await locateRoom(context, roomIdOrAlias);
  const head = await context.rooms.head(roomId);
  if (isReadable(context, head)) {
    const { children_state: _, ...summary } = await context.local.describe(head);
    if (!(await mayUserKnow(context, { head, doors: summary, userId }))) throw unknownRoom();
    return { ...summary, membership: (await membershipIn(context, head, userId)) ?? 'leave' };
  }
  const hints = [...serverNames, ...servers];
  const candidates = await candidateServers(context, { roomId, userId, serverNames: hints });
  const question = { roomId, servers: candidates, suggestedOnly: false, askAgain: true };
  const found = await context.remote.find(question, budgetOf(context));
  if (found === undefined || found === 'outOfBudget') throw unknownRoom();
  const { children_state: _, ...summary } = found.room;
  if (!(await mayUserKnowRemote(context, summary, userId))) throw unknownRoom();
  return { ...summary, membership: await membershipElsewhere(context, roomId, userId) };
}

async function membershipElsewhere(
  { database }: SpacesContext,
  roomId: RoomId,
  userId: UserId,
): Promise<string> {
  return (await selectMembership(database, roomId, userId))?.membership ?? 'leave';
}

async function querySpaceFor(
  context: SpacesContext,
  { origin, roomId, suggestedOnly }: Parameters<SpacesApi['querySpaceFor']>[0],
): ReturnType<SpacesApi['querySpaceFor']> {
  const head = await residentHead(context, roomId);
  const whole = await context.local.describe(head);
  if (!(await mayServerKnow(context, { head, doors: whole, origin }))) throw unknownRoom();
  const listed = suggestedOnly ? whole.children_state.filter(isSuggested) : whole.children_state;
  const children: SpaceRoom[] = [];
  const inaccessibleChildren: RoomId[] = [];
  for (const { state_key: childId } of listed.slice(0, MAX_SERVED)) {
    const child = await context.rooms.head(childId);
    if (child === undefined || child.localMembers === 0) continue;
    const room = await context.local.describe(child);
    if (await mayServerKnow(context, { head: child, doors: room, origin })) children.push(room);
    else inaccessibleChildren.push(childId);
  }
  return { room: { ...whole, children_state: listed }, children, inaccessibleChildren };
}

function unknownRoom(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'Room not found');
}
