// Entries of `roomserver.output` that change who is in a room.

import type {
  NewInvite,
  NewRoomEvent,
  RetireInvite,
  StateChange,
  StateReplaced,
} from '../../eventlog/entries.ts';
import { formatClientEvent } from '../../protocol/events/client-event.ts';
import { stripEvent } from '../../protocol/events/stripped-state.ts';
import { type EventId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { updatePeeksOfUserEnded } from '../store/peeks.ts';
import type { RoomBatch } from './room-batch.ts';
import type { Place } from './timeline-row.ts';

/** Who joins does not look any more, and who is banned neither. */
const ENDS_PEEKS = new Set(['join', 'ban']);

export async function changeMemberships(
  batch: RoomBatch,
  { stateChanges }: NewRoomEvent | StateReplaced,
  { roomId, position, now }: Place,
): Promise<void> {
  for (const change of stateChanges) {
    if (!isNewMembership(change)) continue;
    const userId = change.stateKey as UserId;
    const membership = change.membership ?? 'leave';
    const wasJoined = change.previousMembership === 'join';
    const isJoined = membership === 'join';
    const isInvited = membership === 'invite';
    batch.addMemberChange(roomId, { userId, position, wasJoined, isJoined, isInvited });
    if (serverNameOf(userId) !== batch.context.serverName) {
      batch.setRemoteMember({ userId, roomId }, membership === 'join');
      continue;
    }
    const eventId = change.eventId ?? ('' as EventId);
    await batch.addMembership({ userId, roomId, position, membership, eventId, forgotten: false });
    if (ENDS_PEEKS.has(membership)) {
      const end = { position, now };
      batch.changePeeks(await updatePeeksOfUserEnded(batch.tx, { userId, roomId }, end));
    }
  }
}

function isNewMembership({ type, membership, previousMembership }: StateChange): boolean {
  return type === 'm.room.member' && membership !== previousMembership;
}

export function newInvite(batch: RoomBatch, entry: NewInvite, place: Place): Promise<void> {
  return batch.addMembership({
    userId: entry.userId,
    roomId: place.roomId,
    position: place.position,
    membership: entry.membership,
    eventId: entry.event.eventId,
    forgotten: false,
    strippedState: withOwnEvent(entry),
  });
}

/** Clients look for the user's own member event to see who invited her. */
function withOwnEvent({ userId, event, strippedState }: NewInvite): JsonObject[] {
  const isOwn = ({ type, state_key }: JsonObject) =>
    type === 'm.room.member' && state_key === userId;
  return [...strippedState.filter((other) => !isOwn(other)), stripEvent(event)];
}

export function retireInvite(batch: RoomBatch, entry: RetireInvite, place: Place): Promise<void> {
  const { userId, eventId, membership, event } = entry;
  const { roomId, position } = place;
  return batch.addMembership({
    userId,
    roomId,
    position,
    membership,
    eventId,
    forgotten: false,
    ...(event && { strippedState: [formatClientEvent(event, { withRoomId: false })] }),
  });
}
