// Walks a space depth first: each room once, with what the user may know of it (Client-Server API, "GET /hierarchy").

import type { RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { RoomSummary, SpaceRoom } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isReadable } from '../membership/is-here.ts';
import { mayUserKnow, mayUserKnowRemote } from './access.ts';
import type { LocalSpaces } from './local-spaces.ts';
import type { Budget, RemoteSpace, RemoteSpaces } from './remote-spaces.ts';
import { isSuggested, SPACE_TYPE, viaOf } from './space-child.ts';

export type SpacesContext = RoomserverContext & {
  readonly local: LocalSpaces;
  readonly remote: RemoteSpaces;
};

export interface WalkOptions {
  readonly userId: UserId;
  readonly suggestedOnly: boolean;
  readonly maxDepth: number;
  readonly budget: Budget;
}

export interface Place {
  readonly roomId: RoomId;
  readonly servers: readonly ServerName[];
  readonly depth: number;
  /** What a server has said of the space in which it is. */
  readonly told?: RemoteSpace | undefined;
}

interface Visited {
  readonly room: SpaceRoom;
  readonly told?: RemoteSpace;
}

/** Rooms that are looked at, whatever comes of it. */
const MAX_VISITS = 2000;

/** Ends at `outOfBudget` where others would have to be asked, but cannot be any more. */
export async function* walkSpace(
  context: SpacesContext,
  start: Place,
  options: WalkOptions,
): AsyncGenerator<SpaceRoom | 'outOfBudget'> {
  const stack = [start];
  const seen = new Set<RoomId>();
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    if (seen.has(place.roomId)) continue;
    if (seen.size >= MAX_VISITS) return;
    seen.add(place.roomId);
    const visited = await visit(context, place, options);
    if (visited === undefined) continue;
    if (visited === 'outOfBudget') {
      yield visited;
      return;
    }
    const { room, told } = visited;
    const children = options.suggestedOnly
      ? room.children_state.filter(isSuggested)
      : room.children_state;
    yield { ...room, children_state: children };
    if (place.depth >= options.maxDepth) continue;
    const depth = place.depth + 1;
    for (const child of children.toReversed()) {
      stack.push({ roomId: child.state_key, servers: viaOf(child), depth, told });
    }
  }
}

/** Undefined where the user may not know of the room, or nobody tells of it. */
async function visit(
  context: SpacesContext,
  place: Place,
  options: WalkOptions,
): Promise<Visited | 'outOfBudget' | undefined> {
  const { userId } = options;
  const head = await context.rooms.head(place.roomId);
  if (isReadable(context, head)) {
    const room = await context.local.describe(head);
    return (await mayUserKnow(context, { head, doors: room, userId })) ? { room } : undefined;
  }
  if (place.told?.inaccessible.has(place.roomId)) return undefined;
  const visited = await visitRemote(context, place, options);
  if (visited === undefined || visited === 'outOfBudget') return visited;
  return (await mayUserKnowRemote(context, visited.room, userId)) ? visited : undefined;
}

async function visitRemote(
  { remote }: SpacesContext,
  { roomId, servers, told, depth }: Place,
  { suggestedOnly, budget }: WalkOptions,
): Promise<Visited | 'outOfBudget' | undefined> {
  const summary = told?.children.get(roomId);
  // What was told of a space does not name its children.
  if (summary !== undefined && summary.room_type !== SPACE_TYPE) return { room: leaf(summary) };
  const question = { roomId, suggestedOnly, servers, askAgain: depth === 0 };
  const found = await remote.find(question, budget);
  if (found === undefined) return summary && { room: leaf(summary) };
  return found === 'outOfBudget' ? found : { room: found.room, told: found };
}

function leaf(summary: RoomSummary): SpaceRoom {
  return { ...summary, children_state: [] };
}
