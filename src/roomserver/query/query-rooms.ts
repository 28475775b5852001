// What is asked about rooms and their members, as committed.

import { powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Power, RoomInfo, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import { isReadable } from '../membership/is-here.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { selectRoomsOfUser } from '../store/memberships.ts';

type Context = Pick<RoomserverContext, 'database' | 'rooms' | 'events' | 'states'>;
type ReadingContext = Pick<RoomserverContext, 'rooms' | 'outboundPeeks'>;

export async function queryRoom(
  context: ReadingContext,
  roomId: RoomId,
): Promise<RoomInfo | undefined> {
  const head = await context.rooms.head(roomId);
  return isReadable(context, head) ? infoOf(head) : undefined;
}

function infoOf(head: RoomHead): RoomInfo {
  return {
    roomId: head.roomId,
    roomVersion: head.roomVersion,
    creator: head.creator,
    isResident: head.localMembers > 0,
    currentState: head.currentState,
    forwardExtremities: head.extremities.map(({ eventId }) => eventId),
    visibility: head.visibility,
    encrypted: head.encrypted,
    joinedMembers: head.joinedMembers,
    invitedMembers: head.invitedMembers,
  };
}

export async function queryMemberships(
  context: Context,
  { roomId, userIds }: Parameters<RoomserverApi['queryMemberships']>[0],
): Promise<{ userId: UserId; membership: string; eventId: EventId }[]> {
  const head = await context.rooms.head(roomId);
  if (head === undefined) return [];
  const states = context.states.ofRoom(roomId);
  const found: { userId: UserId; membership: string; eventId: EventId }[] = [];
  for (const userId of userIds) {
    const eventId = await states.get(head.currentState, 'm.room.member', userId);
    const event = eventId && (await context.events.get(eventId));
    const membership = event?.pdu.membership;
    if (eventId !== undefined && membership !== undefined) {
      found.push({ userId, membership, eventId });
    }
  }
  return found;
}

export async function queryRoomsOfUser(
  { database }: Context,
  { userId, memberships }: Parameters<RoomserverApi['queryRoomsOfUser']>[0],
): Promise<{ roomId: RoomId; membership: string; eventId: EventId; forgotten: boolean }[]> {
  const found = await selectRoomsOfUser(database, userId, memberships);
  return found.map((row) => ({
    roomId: row.room_id,
    membership: row.membership,
    eventId: row.event_id,
    forgotten: row.forgotten !== 0,
  }));
}

export async function queryPower(
  context: Context,
  { roomId, userId }: Parameters<RoomserverApi['queryPower']>[0],
): Promise<Power> {
  const head = await context.rooms.head(roomId);
  if (head === undefined) throw new MatrixError('M_NOT_FOUND', 'No such room');
  const create = await currentEvent(context, head, 'm.room.create');
  const event = await currentEvent(context, head, 'm.room.power_levels');
  const events = { create: create?.pdu, powerLevels: event?.pdu };
  const levels = powerLevelsFrom(events, rulesOf(head.roomVersion));
  const content = event?.pdu.content;
  return {
    userLevel: finite(levels.levelOf(userId)),
    invite: levels.invite,
    kick: levels.kick,
    ban: levels.ban,
    redact: levels.redact,
    stateDefault: levels.stateDefault,
    eventsDefault: levels.eventsDefault,
    events: levelsIn(content?.events, (type) => levels.levelToSend(type, false)),
    notifications: {
      room: levels.notification('room'),
      ...levelsIn(content?.notifications, (kind) => levels.notification(kind)),
    },
  };
}

/** Infinity does not survive JSON. */
function finite(level: number): number {
  return Math.min(level, Number.MAX_SAFE_INTEGER);
}

function levelsIn(value: unknown, levelOf: (key: string) => number): Record<string, number> {
  const levels: JsonObject = isJsonObject(value) ? value : {};
  return Object.fromEntries(Object.keys(levels).map((key) => [key, levelOf(key)]));
}

async function currentEvent(
  context: Context,
  head: RoomHead,
  type: string,
): Promise<EventRecord | undefined> {
  const id = await context.states.ofRoom(head.roomId).get(head.currentState, type, '');
  return id && context.events.get(id);
}
