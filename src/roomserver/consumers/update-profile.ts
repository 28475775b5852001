// A changed profile reaches the member events of the rooms that the user has joined (Client-Server API, "Events on
// Change of Profile Information").

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomserverContext } from '../context.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import type { UserChange } from '../store/user-changes.ts';
import { forEachRoom } from './each-room.ts';

/** Returns whether it has reached all of them. */
export function updateProfile(
  context: RoomserverContext,
  change: UserChange,
  isGoingOn: () => boolean,
): Promise<boolean> {
  return forEachRoom(context, {
    userId: change.userId,
    memberships: ['join'],
    isGoingOn,
    work: (roomId) => updateMember(context, roomId, change),
  });
}

async function updateMember(
  context: RoomserverContext,
  roomId: RoomId,
  change: UserChange,
): Promise<void> {
  const { userId } = change;
  await context.rooms.change(roomId, async (room) => {
    const member = await room.currentEvent('m.room.member', userId);
    if (member?.pdu.membership !== 'join') return;
    const content = contentWith(member.pdu.content, change);
    if (content === undefined) return;
    await appendLocalEvent(context, room, {
      type: 'm.room.member',
      sender: userId,
      stateKey: userId,
      content,
    });
  });
}

/** Undefined when the values are there already. What belongs to the act of joining does not come again. */
function contentWith(
  content: JsonObject,
  { displayname, avatarUrl }: UserChange,
): JsonObject | undefined {
  const {
    displayname: oldName,
    avatar_url: oldAvatar,
    reason: _reason,
    join_authorised_via_users_server: _via,
    third_party_invite: _invite,
    ...rest
  } = content;
  if (oldName === displayname && oldAvatar === avatarUrl) return undefined;
  return {
    ...rest,
    ...(displayname !== undefined && { displayname }),
    ...(avatarUrl !== undefined && { avatar_url: avatarUrl }),
  };
}
