// The rule of m.room.create: needs no state.

import type { Pdu } from '../events/pdu.ts';
import { isUserId, serverNameOf, serverNameOfRoomId } from '../identifiers.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { isRoomVersion } from '../roomversions/table.ts';
import { rejectBy } from './auth-check.ts';
import { ALLOWED, type Verdict } from './verdict.ts';

export function authorizeCreate(event: Pdu, rules: RoomVersionRules): Verdict {
  const { content } = event;
  if (event.prevEvents.length > 0) {
    return rejectBy(rules, 'create.prevEvents', 'm.room.create has previous events');
  }
  if (!isRoomIdRight(event, rules)) {
    return rejectBy(rules, 'create.roomId', 'the room ID is not one that the sender may create');
  }
  if (content.room_version !== undefined && !isRoomVersion(content.room_version)) {
    return rejectBy(rules, 'create.roomVersion', 'the room version is not known');
  }
  if (!rules.implicitCreator && content.creator === undefined) {
    return rejectBy(rules, 'create.creator', 'm.room.create names no creator');
  }
  if (rules.privilegedCreators && !isListOfUsers(content.additional_creators)) {
    const reason = 'additional_creators is not a list of user IDs';
    return rejectBy(rules, 'create.additionalCreators', reason);
  }
  return ALLOWED;
}

function isRoomIdRight(event: Pdu, rules: RoomVersionRules): boolean {
  if (rules.roomIdIsCreateEventId) return event.json.room_id === undefined;
  return serverNameOfRoomId(event.roomId) === serverNameOf(event.sender);
}

function isListOfUsers(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every(isUserId));
}
