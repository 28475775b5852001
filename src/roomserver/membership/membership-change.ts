// performMembershipChange: invite, leave, kick, ban and unban.

import { MatrixError } from '../../protocol/error.ts';
import { type RoomId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { selectInvite } from '../store/invites.ts';
import { isHere } from './is-here.ts';

type ChangeRequest = Parameters<RoomserverApi['performMembershipChange']>[0];

const RESULT = {
  invite: 'invite',
  leave: 'leave',
  kick: 'leave',
  ban: 'ban',
  unban: 'leave',
} as const;

export async function changeMembership(
  context: RoomserverContext,
  request: ChangeRequest,
): Promise<Written> {
  const { roomId, sender, target, action, content } = request;
  if (action === 'invite' && serverNameOf(target) !== context.serverName) {
    return context.remoteRooms.invite(request);
  }
  if (action === 'leave' && sender === target && (await isOutOfBand(context, roomId, target))) {
    return context.remoteRooms.leave({ roomId, userId: target, serverNames: [], content });
  }
  const { position } = await context.rooms.change(roomId, async (room) => {
    if (await isDone(room, request)) return;
    await appendLocalEvent(context, room, {
      type: 'm.room.member',
      sender,
      stateKey: target,
      content: { ...content, membership: RESULT[action] },
    });
  });
  return { position };
}

/** Whether the user's membership is not, or no longer, one of a room that is here. */
async function isOutOfBand(
  { rooms, database, states }: RoomserverContext,
  roomId: RoomId,
  userId: UserId,
): Promise<boolean> {
  const head = await rooms.head(roomId);
  if (!isHere(head)) return true;
  const inState = await states.ofRoom(roomId).get(head.currentState, 'm.room.member', userId);
  return inState === undefined && (await selectInvite(database, roomId, userId)) !== undefined;
}

/**
 * The rules let whoever may kick set any membership to `leave`: what the user meant is checked here. True when there
 * is nothing to do. Throws M_FORBIDDEN.
 */
async function isDone(
  room: RoomDraft,
  { sender, target, action }: ChangeRequest,
): Promise<boolean> {
  const member = await room.currentEvent('m.room.member', target);
  const membership = member?.pdu.membership;
  switch (action) {
    case 'leave':
      if (sender !== target)
        throw new MatrixError('M_FORBIDDEN', 'You can leave for yourself only');
      if (membership === undefined) throw new MatrixError('M_FORBIDDEN', 'You are not in the room');
      return membership === 'leave';
    case 'kick':
      if (membership === 'ban') throw new MatrixError('M_FORBIDDEN', 'The user is banned');
      if (membership === undefined || membership === 'leave') {
        throw new MatrixError('M_FORBIDDEN', 'The user is not in the room');
      }
      return false;
    case 'unban':
      if (membership !== 'ban') throw new MatrixError('M_FORBIDDEN', 'The user is not banned');
      return false;
    default:
      return false;
  }
}
