// What a local user may redact: her own events, and others' with the power to.

import { powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { SendEventRequest } from '../api.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';

/** Throws M_FORBIDDEN, M_NOT_FOUND or, for an event of another room, M_INVALID_PARAM. */
export async function checkRedaction(room: RoomDraft, request: SendEventRequest): Promise<void> {
  if (request.redacts === undefined) {
    throw new MatrixError('M_MISSING_PARAM', 'A redaction names the event that it redacts');
  }
  const target = await room.event(request.redacts);
  if (target !== undefined && target.roomId !== room.roomId) {
    throw new MatrixError('M_INVALID_PARAM', 'That event is in another room');
  }
  if (target?.pdu.sender === request.sender || (await hasPowerToRedact(room, request.sender))) {
    return;
  }
  if (target === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such event here');
  throw new MatrixError('M_FORBIDDEN', 'You may not redact what others have sent');
}

async function hasPowerToRedact(room: RoomDraft, sender: string): Promise<boolean> {
  const create = await room.currentEvent('m.room.create', '');
  const powerLevels = await room.currentEvent('m.room.power_levels', '');
  const events = { create: create?.pdu, powerLevels: powerLevels?.pdu };
  const levels = powerLevelsFrom(events, room.rules);
  return levels.levelOf(sender) >= levels.redact;
}
