// Whether a user is in a room now.

import type { UserId } from '../../protocol/identifiers.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';

export async function isJoined(room: RoomDraft, userId: UserId): Promise<boolean> {
  const member = await room.currentEvent('m.room.member', userId);
  return member?.pdu.membership === 'join';
}
