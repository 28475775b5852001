// performCreateRoom: a room with all its first events, its alias and its place in the directory, at once or not at all.

import { MatrixError } from '../../protocol/error.ts';
import { type RoomAlias, type RoomId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { CreateRoomRequest, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { foundRoom } from '../rooms/found-room.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { checkCanonicalAlias } from '../send/check-canonical-alias.ts';
import { insertAlias, selectAlias } from '../store/aliases.ts';
import { insertPublished } from '../store/published.ts';
import { type PlannedEvent, planRoom, type RoomPlan } from './room-plan.ts';

export function createCreationApi(
  context: RoomserverContext,
): Pick<RoomserverApi, 'performCreateRoom'> {
  let lastCreation = 0;
  return {
    performCreateRoom: (request) => {
      // In room version 12 the id is a hash of who created what when: never the same twice.
      lastCreation = Math.max(context.clock.now(), lastCreation + 1);
      return createRoom(context, request, lastCreation);
    },
  };
}

async function createRoom(
  context: RoomserverContext,
  request: CreateRoomRequest,
  originServerTs: number,
): ReturnType<RoomserverApi['performCreateRoom']> {
  const { serverName, config } = context;
  const { creator } = request;
  const plan = planRoom(request, { serverName, defaultRoomVersion: config.defaultRoomVersion });
  const { alias } = plan;
  if (alias !== undefined) await checkFree(context, alias);
  const { value: roomId, position } = await foundRoom(
    context,
    { creator, roomVersion: plan.roomVersion, content: plan.createContent, originServerTs },
    async (room) => {
      await fillRoom(context, room, { creator, plan });
      return room.roomId;
    },
  ).catch(asInvalidState);
  return { roomId, position, ...(alias !== undefined && { roomAlias: alias }) };
}

/** Refuses early what the transaction would refuse. */
async function checkFree(
  { database }: Pick<RoomserverContext, 'database'>,
  alias: RoomAlias,
): Promise<void> {
  if ((await selectAlias(database, alias)) !== undefined) throw taken(alias);
}

async function fillRoom(
  context: RoomserverContext,
  room: RoomDraft,
  { creator, plan }: { readonly creator: UserId; readonly plan: RoomPlan },
): Promise<void> {
  const { alias, isPublished } = plan;
  for (const event of plan.events) await append(context, room, { ...event, sender: creator });
  if (isPublished) room.alsoWrite((tx) => insertPublished(tx, room.roomId));
  if (alias === undefined) return;
  const createdAt = context.clock.now();
  room.alsoWrite(async (tx) => {
    const isNew = await insertAlias(tx, { alias, roomId: room.roomId, creator, createdAt });
    if (!isNew) throw taken(alias);
  });
}

async function append(
  context: RoomserverContext,
  room: RoomDraft,
  event: PlannedEvent & { readonly sender: UserId },
): Promise<void> {
  checkInvite(context, event);
  if (event.type === 'm.room.canonical_alias') {
    await checkCanonicalAlias(context, room, { ...event, roomId: room.roomId });
  }
  await appendLocalEvent(context, room, event);
}

/** `initial_state` may hold members, too. */
function checkInvite(
  { serverName }: Pick<RoomserverContext, 'serverName'>,
  { type, stateKey, content }: PlannedEvent,
): void {
  if (type !== 'm.room.member' || content.membership !== 'invite') return;
  if (serverNameOf(stateKey as UserId) === serverName) return;
  throw new MatrixError('M_FORBIDDEN', 'Users of other servers cannot be invited');
}
