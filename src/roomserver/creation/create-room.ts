// performCreateRoom: a room with all its first events, its alias and its place in the directory, at once or not at all;
// then users of other servers are invited.

import { setImmediate } from 'node:timers/promises';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomAlias, RoomId, UserId } from '../../protocol/identifiers.ts';
import { aliasTaken } from '../aliases/alias-taken.ts';
import type { CreateRoomRequest, RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { mapInParallel } from '../input/in-parallel.ts';
import { type Founding, foundRoom } from '../rooms/found-room.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { checkCanonicalAlias } from '../send/check-canonical-alias.ts';
import { insertAlias, selectAlias } from '../store/aliases.ts';
import { insertPublished } from '../store/published.ts';
import { type PlannedEvent, planRoom, type RoomPlan } from './room-plan.ts';

/** Each is signed: others get their turn of the event loop in between. */
const EVENTS_PER_TURN = 50;
const INVITES_AT_ONCE = 10;

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
  const plan = planRoom(request, { serverName, defaultRoomVersion: config.defaultRoomVersion });
  const { alias } = plan;
  if (alias !== undefined) await checkFree(context, alias);
  const { creator } = request;
  const { roomId, position } = await found(context, plan, { creator, originServerTs });
  const invited = await inviteOthers(context, plan, { roomId, sender: creator });
  const created = { roomId, position: Math.max(position, invited) };
  return { ...created, ...(alias !== undefined && { roomAlias: alias }) };
}

/** The room is there, whatever their servers answer. Returns the position of the last invite. */
async function inviteOthers(
  { remoteRooms, logger }: RoomserverContext,
  { invites }: RoomPlan,
  room: { readonly roomId: RoomId; readonly sender: UserId },
): Promise<number> {
  const positions = await mapInParallel(invites, INVITES_AT_ONCE, async ({ target, content }) => {
    try {
      return (await remoteRooms.invite({ ...room, target, content })).position;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      logger.info({ ...room, target, reason: error.message }, 'a user could not be invited');
      return 0;
    }
  });
  return Math.max(0, ...positions);
}

/** Refuses early what the transaction would refuse. */
async function checkFree(
  { database }: Pick<RoomserverContext, 'database'>,
  alias: RoomAlias,
): Promise<void> {
  if ((await selectAlias(database, alias)) !== undefined) throw aliasTaken(alias);
}

async function found(
  context: RoomserverContext,
  plan: RoomPlan,
  { creator, originServerTs }: Pick<Founding, 'creator' | 'originServerTs'>,
): Promise<Written & { roomId: RoomId }> {
  const { roomVersion, createContent: content } = plan;
  const founding = { creator, roomVersion, content, originServerTs };
  try {
    const { value: roomId, position } = await foundRoom(context, founding, async (room) => {
      await fillRoom(context, room, { creator, plan });
      return room.roomId;
    });
    return { roomId, position };
  } catch (error) {
    throw asInvalidState(error);
  }
}

/** The authorization rules refuse an event: what was asked for contradicts itself. */
function asInvalidState(error: unknown): unknown {
  if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') return error;
  return new MatrixError('M_INVALID_ROOM_STATE', error.message);
}

async function fillRoom(
  context: RoomserverContext,
  room: RoomDraft,
  { creator, plan }: { readonly creator: UserId; readonly plan: RoomPlan },
): Promise<void> {
  const { alias, isPublished } = plan;
  for (const [index, event] of plan.events.entries()) {
    if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await setImmediate();
    const isOwnAlias = event === plan.canonicalAlias;
    if (!isOwnAlias) await checkAliases(context, room, { ...event, sender: creator });
    await appendLocalEvent(context, room, { ...event, sender: creator });
  }
  if (isPublished) room.alsoWrite((tx) => insertPublished(tx, room.roomId));
  if (alias === undefined) return;
  const createdAt = context.clock.now();
  room.alsoWrite(async (tx) => {
    const isNew = await insertAlias(tx, { alias, roomId: room.roomId, creator, createdAt });
    if (!isNew) throw aliasTaken(alias);
  });
}

async function checkAliases(
  context: RoomserverContext,
  room: RoomDraft,
  event: PlannedEvent & { readonly sender: UserId },
): Promise<void> {
  if (event.type !== 'm.room.canonical_alias') return;
  await checkCanonicalAlias(context, room, { ...event, roomId: room.roomId });
}
