// What a user's push rules make of an event in a room.

import { formatClientEvent } from '../../protocol/events/client-event.ts';
import type { PduRecord } from '../../protocol/events/pdu.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { evaluatePushRules, type PushVerdict } from '../../protocol/push-rules.ts';
import type { SyncserverContext } from '../context.ts';
import type { RoomView } from '../rooms/room-view.ts';
import type { TimelineRow } from '../store/timeline.ts';

const NOTHING: PushVerdict = { notify: false, highlight: false, tweaks: {} };
/** Power to notify the whole room where the room does not say (m.room.power_levels). */
const DEFAULT_NOTIFICATION_LEVEL = 50;

export interface Case {
  readonly row: TimelineRow;
  readonly rules: JsonObject;
  /** The user's, in the room. */
  readonly displayName: string | undefined;
}

export async function judge(
  context: SyncserverContext,
  view: RoomView,
  { row, rules, displayName }: Case,
): Promise<PushVerdict> {
  const event = context.events.peek(row.eventId) ?? (await context.events.one(row.eventId));
  if (event === undefined) return NOTHING;
  const { unread } = context;
  const known = unread.memberCount(view.roomId, view.endState);
  const memberCount = known ?? (await memberCountOf(context, view));
  const mayNotify = callsRoom(event.json.content) ? await notifierOf(context, row) : isNobody;
  return evaluatePushRules(rules, {
    userId: view.viewer.userId,
    event: formattedOnce(event),
    displayName,
    memberCount,
    senderMayNotify: mayNotify,
  });
}

/** Asked once for each state of the room, not by every user of it. */
async function memberCountOf(
  { unread, roomserver }: SyncserverContext,
  { roomId, endState }: RoomView,
): Promise<number> {
  const count = (await roomserver.queryRoom({ roomId }))?.joinedMembers ?? 0;
  unread.setMemberCount(roomId, { state: endState, count });
  return count;
}

const formatted = new WeakMap<PduRecord, JsonObject>();

/** It is the same for all users of the room. */
function formattedOnce(event: PduRecord): JsonObject {
  const known = formatted.get(event);
  if (known !== undefined) return known;
  const made = formatClientEvent(event, { withRoomId: true });
  formatted.set(event, made);
  return made;
}

/** Power is asked for only where the event calls on the whole room. */
function callsRoom({ body, 'm.mentions': mentions }: JsonObject): boolean {
  return (
    (typeof body === 'string' && body.toLowerCase().includes('@room')) || mentions !== undefined
  );
}

function isNobody(): boolean {
  return false;
}

async function notifierOf(
  { roomserver }: SyncserverContext,
  { roomId, sender }: TimelineRow,
): Promise<(kind: string) => boolean> {
  const power = await roomserver.queryPower({ roomId, userId: sender });
  return (kind) => {
    const needed = Object.hasOwn(power.notifications, kind) ? power.notifications[kind] : undefined;
    return power.userLevel >= (needed ?? DEFAULT_NOTIFICATION_LEVEL);
  };
}
