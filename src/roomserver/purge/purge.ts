// performPurge: local members leave, the room is gone at once, its rows follow bit by bit.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { deleteAliasesOfRoom } from '../store/aliases.ts';
import { selectLocalMembers } from '../store/memberships.ts';
import { deletePublished } from '../store/published.ts';

/** Each leaves by an event that is signed, under the room's lock. */
const LEAVING_AT_ONCE = 100;

export function createPurgeApi(context: RoomserverContext): Pick<RoomserverApi, 'performPurge'> {
  return { performPurge: ({ roomId }) => purge(context, roomId) };
}

/** What leads up to the end is committed before it, so that readers of the event log find the states that it names. */
async function purge(context: RoomserverContext, roomId: RoomId): Promise<Written> {
  let hasLookedAgain = false;
  for (;;) {
    const { value: isGone, position } = await context.rooms.change(roomId, async (room) => {
      if ((await leaveSome(context, room)) > 0) return false;
      // A join of this very batch does not show in the table yet.
      if (room.head.localMembers > 0 && !hasLookedAgain) return false;
      removeRoom(context, room);
      return true;
    });
    if (isGone) return { position };
    hasLookedAgain = true;
  }
}

/** Returns how many have left; there may be more. */
async function leaveSome(context: RoomserverContext, room: RoomDraft): Promise<number> {
  let left = 0;
  for (const membership of ['join', 'invite', 'knock']) {
    const limit = LEAVING_AT_ONCE - left;
    const which = { membership, limit };
    for (const userId of await selectLocalMembers(context.database, room.roomId, which)) {
      if (await leave(context, room, userId)) left++;
    }
  }
  return left;
}

/** Who cannot leave by the rules, or has left in this batch, is told by the log that the room is gone. */
async function leave(
  context: RoomserverContext,
  room: RoomDraft,
  userId: UserId,
): Promise<boolean> {
  const member = await room.currentEvent('m.room.member', userId);
  if (member?.pdu.membership === 'leave') return false;
  try {
    await appendLocalEvent(context, room, {
      type: 'm.room.member',
      sender: userId,
      stateKey: userId,
      content: { membership: 'leave' },
    });
    return true;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    const { roomId } = room;
    context.logger.warn(
      { roomId, userId, err: error },
      'a user cannot leave a room that is purged',
    );
    return false;
  }
}

function removeRoom(context: RoomserverContext, room: RoomDraft): void {
  const { purges, outboundPeeks, lackingMembers } = context;
  const { roomId } = room;
  outboundPeeks.purge(room);
  room.afterCommit(() => lackingMembers.forget(roomId));
  room.log({ kind: 'PurgeRoom' });
  room.alsoWrite(async (tx) => {
    await deleteAliasesOfRoom(tx, roomId);
    await deletePublished(tx, roomId);
    await purges.add(tx, roomId);
  });
  room.remove();
}
