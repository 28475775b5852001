// performFollowUpgrade: a local user has come into a room that says which one it replaces. If it does, what this server keeps
// for the old one moves along, as it does where the upgrade is made.

import { readCreate } from '../../protocol/events/content.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { queryMemberships, queryPower } from '../query/query-rooms.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { selectAliasesOfRoom } from '../store/aliases.ts';
import { selectMembership } from '../store/memberships.ts';
import { insertPublished, selectIsPublished } from '../store/published.ts';
import { moveAddresses } from './tombstone.ts';

export async function followUpgrade(
  context: RoomserverContext,
  { roomId, userId }: Parameters<RoomserverApi['performFollowUpgrade']>[0],
): Promise<{ predecessor?: RoomId }> {
  const { database } = context;
  const head = await context.rooms.head(roomId);
  const predecessor = head && (await predecessorOf(context, head));
  if (predecessor === undefined || predecessor === roomId) return {};
  if ((await selectMembership(database, predecessor, userId)) === undefined) return {};
  const isPublished = await selectIsPublished(database, predecessor);
  if (isPublished || (await selectAliasesOfRoom(database, predecessor)).length > 0) {
    await context.rooms.change(predecessor, async (room) => {
      await moveAddresses(room, roomId);
      if (isPublished) room.alsoWrite((tx) => insertPublished(tx, roomId));
    });
  }
  return { predecessor };
}

/** Anybody can claim to replace a room. It counts where the creator has the power to put a tombstone there. */
async function predecessorOf(
  context: RoomserverContext,
  { roomId, currentState }: RoomHead,
): Promise<RoomId | undefined> {
  const createId = await context.states.ofRoom(roomId).get(currentState, 'm.room.create', '');
  const create = createId && (await context.events.get(createId))?.pdu;
  const { predecessor } = readCreate(create?.content);
  if (create === undefined || predecessor === undefined) return undefined;
  if ((await context.rooms.head(predecessor)) === undefined) return undefined;
  return (await mayReplace(context, predecessor, create.sender as UserId))
    ? predecessor
    : undefined;
}

async function mayReplace(
  context: RoomserverContext,
  roomId: RoomId,
  userId: UserId,
): Promise<boolean> {
  const [member] = await queryMemberships(context, { roomId, userIds: [userId] });
  if (member?.membership !== 'join') return false;
  const { userLevel, events, stateDefault } = await queryPower(context, { roomId, userId });
  return userLevel >= (events['m.room.tombstone'] ?? stateDefault);
}
