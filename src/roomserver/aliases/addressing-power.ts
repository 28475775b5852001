// Who may say under which addresses a room is found: its members with the power to send m.room.canonical_alias.

import { powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import { isJoined } from '../membership/is-joined.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';

export async function mayAddress(room: RoomDraft, userId: UserId): Promise<boolean> {
  if (!(await isJoined(room, userId))) return false;
  const create = await room.currentEvent('m.room.create', '');
  const powerLevels = await room.currentEvent('m.room.power_levels', '');
  const events = { create: create?.pdu, powerLevels: powerLevels?.pdu };
  const levels = powerLevelsFrom(events, room.rules);
  return levels.levelOf(userId) >= levels.levelToSend('m.room.canonical_alias', true);
}

/** Throws M_FORBIDDEN. */
export async function checkMayAddress(room: RoomDraft, userId: UserId): Promise<void> {
  if (await mayAddress(room, userId)) return;
  throw new MatrixError(
    'M_FORBIDDEN',
    'You have not the power to change the addresses of the room',
  );
}
