// Guests may only be where they are let in (Client-Server API, "Guest Access").

import { setImmediate } from 'node:timers/promises';
import { MatrixError } from '../../protocol/error.ts';
import { readGuestsCanJoin } from '../../protocol/events/content.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';

/** Each is signed: others get their turn of the event loop in between. */
const EVENTS_PER_TURN = 50;

type Context = Pick<RoomserverContext, 'clock' | 'serverName' | 'signingKey'>;

/** Throws M_GUEST_ACCESS_FORBIDDEN. */
export async function checkGuestsCanJoin(room: RoomDraft): Promise<void> {
  if (await canGuestsJoin(room)) return;
  throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may not join this room');
}

export async function canGuestsJoin(room: RoomDraft): Promise<boolean> {
  const event = await room.currentEvent('m.room.guest_access', '');
  return readGuestsCanJoin(event?.pdu.content);
}

/** After a change of m.room.guest_access: makes the guests leave when they may not be here any more. */
export async function dismissGuests(context: Context, room: RoomDraft): Promise<void> {
  if (await canGuestsJoin(room)) return;
  for (const [index, userId] of (await room.guests()).entries()) {
    if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await setImmediate();
    const member = await room.currentEvent('m.room.member', userId);
    if (member?.pdu.membership === 'join') await dismissIfAllowed(context, room, userId);
  }
}

/** What follows from the room's being closed must not keep it open: whoever may not leave, stays. */
async function dismissIfAllowed(context: Context, room: RoomDraft, userId: UserId): Promise<void> {
  try {
    await dismissGuest(context, room, userId);
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
  }
}

export async function dismissGuest(
  context: Context,
  room: RoomDraft,
  userId: UserId,
): Promise<void> {
  await appendLocalEvent(context, room, {
    type: 'm.room.member',
    sender: userId,
    stateKey: userId,
    content: { membership: 'leave' },
  });
}
