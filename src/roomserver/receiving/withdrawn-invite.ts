// An invite that is withdrawn while this server is not in the room: all it is told is the event itself.

import type { EventId, RoomId, ServerName } from '../../protocol/identifiers.ts';
import { isUserId, serverNameOf } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvent } from '../input/check-event.ts';
import { isDropped } from '../input/checked-event.ts';
import { retireInvite } from '../remote/out-of-band.ts';
import { selectInvite } from '../store/invites.ts';

const ENDS = new Set(['leave', 'ban']);

/**
 * The id of the event when it ends an invite or knock of one of our users. It cannot be authorized, but it must name
 * the invite among its auth events, which whoever is in the room does.
 */
export async function takeWithdrawal(
  context: RoomserverContext,
  { roomId, origin, event }: { roomId: RoomId; origin: ServerName; event: JsonObject },
): Promise<EventId | undefined> {
  const { state_key: userId } = event;
  if (!isUserId(userId) || serverNameOf(userId) !== context.serverName) return undefined;
  const known = await selectInvite(context.database, roomId, userId);
  if (known === undefined) return undefined;
  const rules = rulesOf(known.roomVersion);
  const checked = await checkEvent(event, { roomId, rules, keyRing: context.keyRing, origin });
  if (isDropped(checked)) return undefined;
  const { eventId, membership, authEvents } = checked.pdu;
  if (membership === undefined || !ENDS.has(membership)) return undefined;
  if (!authEvents.includes(known.eventId)) return undefined;
  await context.turns.run(roomId, async () => {
    const invite = await selectInvite(context.database, roomId, userId);
    if (invite?.eventId !== known.eventId) return;
    await retireInvite(context, invite, { membership, event: checked.pdu });
  });
  return eventId;
}
