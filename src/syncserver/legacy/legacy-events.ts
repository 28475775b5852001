// What the older endpoints show besides events of rooms, and how they show events.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { presenceContent } from '../live/presence-tracker.ts';
import { presentState } from '../rooms/present-rows.ts';
import type { Membership } from '../store/memberships.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import { receiptContent } from '../sync/ephemeral.ts';
import { strippedState } from '../sync/invited.ts';

/** Clients of that age look for the sender under `user_id`. */
export function withUserId(event: JsonObject): JsonObject {
  return event.sender === undefined ? event : { ...event, user_id: event.sender };
}

/** One event for each thread: within one, an event, type and user give but one receipt. */
export function receiptEvents(
  { viewer, roomId }: { readonly viewer: Viewer; readonly roomId: RoomId },
  receipts: readonly StoredReceipt[],
): JsonObject[] {
  const told = receipts.filter(({ type, userId }) => type === 'm.read' || userId === viewer.userId);
  const threads = Map.groupBy(told, (receipt) => receipt.threadId);
  return Array.from(threads.values(), (some) => ({
    type: 'm.receipt',
    room_id: roomId,
    content: receiptContent(some),
  }));
}

/** Of whom nothing has been heard counts as offline. */
export function presenceEvents(
  { presence, clock }: Pick<SyncserverContext, 'presence' | 'clock'>,
  userIds: Iterable<UserId>,
  viewer: Viewer,
): JsonObject[] {
  const now = clock.now();
  return Array.from(userIds, (userId) => {
    const known = presence.get(userId);
    // Who asks is there.
    const unheard = {
      presence: 'offline',
      ...(userId === viewer.userId && { last_active_ago: 0 }),
    };
    const content = known ? presenceContent(known, now) : unheard;
    return { type: 'm.presence', sender: userId, content: { ...content, user_id: userId } };
  });
}

/** The member event by which the user is invited, with the stripped state of the room; undefined when neither is known. */
export async function inviteEvent(
  context: SyncserverContext,
  membership: Membership,
): Promise<JsonObject | undefined> {
  const { roomId, userId, eventId } = membership;
  const state = await strippedState(context, membership);
  const stored = await context.events.one(eventId);
  const own = state.find(({ type, state_key: key }) => type === 'm.room.member' && key === userId);
  const [full] = presentState(
    context,
    { roomId, isLooker: false },
    { events: stored ? [stored] : [], withRoomId: true },
  );
  const event = full ?? (own && { ...own, room_id: roomId, event_id: eventId });
  if (event === undefined) return undefined;
  const unsigned = { ...(event.unsigned as JsonObject | undefined), invite_room_state: state };
  return withUserId({ ...event, unsigned });
}
