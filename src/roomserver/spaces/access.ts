// Who may know of a room: who is in it, may come in or look in (Client-Server API, "GET /hierarchy"; Server-Server API,
// "Spaces"). Of rooms of others it is told by what they say of themselves.

import {
  type RoomId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { RoomSummary } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { isAdmitted } from '../rooms/served-room.ts';
import { selectInvite } from '../store/invites.ts';
import { selectIsJoinedHost, selectIsJoinedToAny } from '../store/memberships.ts';

type Context = Pick<RoomserverContext, 'database' | 'rooms' | 'states' | 'events'>;

/** More conditions of a restricted room are not looked at. */
const MAX_CONDITIONS = 100;
/** Members that are looked through for invited ones of another server. */
const MAX_MEMBERS = 2000;

/** How the room says that it may be entered. */
type Doors = Pick<RoomSummary, 'join_rule' | 'allowed_room_ids'>;

export async function membershipIn(
  { states, events }: Context,
  { roomId, currentState }: RoomHead,
  userId: UserId,
): Promise<string | undefined> {
  const id = await states.ofRoom(roomId).get(currentState, 'm.room.member', userId);
  return id && (await events.get(id))?.pdu.membership;
}

/** Of a local user. */
export async function mayUserKnow(
  context: Context,
  { head, doors, userId }: { head: RoomHead; doors: Doors; userId: UserId },
): Promise<boolean> {
  if (isWorldReadable(head.visibility)) return true;
  const membership = await membershipIn(context, head, userId);
  if (membership === 'ban') return false;
  if (membership === 'join' || membership === 'invite') return true;
  const allowed = conditionOf(doors, rulesOf(head.roomVersion));
  return allowed === true || (await selectIsJoinedToAny(context.database, userId, allowed));
}

/** Of a local user, and a room of which another server has told. */
export async function mayUserKnowRemote(
  { database }: Context,
  summary: RoomSummary,
  userId: UserId,
): Promise<boolean> {
  if (summary.world_readable) return true;
  const { room_version: version } = summary;
  const rules = isRoomVersion(version) ? rulesOf(version) : undefined;
  const allowed = conditionOf(summary, rules);
  if (allowed === true || (await selectIsJoinedToAny(database, userId, allowed))) return true;
  return (await selectInvite(database, summary.room_id, userId))?.membership === 'invite';
}

/** Of another server: whether its users may be in the room, come in or look in. */
export async function mayServerKnow(
  context: Context,
  { head, doors, origin }: { head: RoomHead; doors: Doors; origin: ServerName },
): Promise<boolean> {
  if (!(await isAdmitted(context, head, origin))) return false;
  if (isWorldReadable(head.visibility)) return true;
  const { database } = context;
  if (await selectIsJoinedHost(database, head.roomId, origin)) return true;
  const allowed = conditionOf(doors, rulesOf(head.roomVersion));
  if (allowed === true) return true;
  for (const roomId of allowed) {
    if (await selectIsJoinedHost(database, roomId, origin)) return true;
  }
  return await isAnyInvited(context, head, origin);
}

/** True: anybody may come in, or ask to. Else: the members of these rooms. */
function conditionOf(
  { join_rule: rule = 'public', allowed_room_ids: allowed = [] }: Doors,
  rules?: RoomVersionRules,
): true | readonly RoomId[] {
  if (rule === 'public') return true;
  if (rule === 'knock' && rules?.knocking !== false) return true;
  if (rule === 'knock_restricted' && rules?.knockRestricted !== false) return true;
  return rule === 'restricted' ? allowed.slice(0, MAX_CONDITIONS) : [];
}

async function isAnyInvited(
  { states, events }: Context,
  { roomId, currentState, invitedMembers }: RoomHead,
  origin: ServerName,
): Promise<boolean> {
  if (invitedMembers === 0) return false;
  const members = await states.ofRoom(roomId).entries(currentState, 'only', MAX_MEMBERS);
  const theirs = members.filter(({ stateKey }) => serverNameOf(stateKey as UserId) === origin);
  const loaded = await events.load(theirs.map(({ eventId }) => eventId));
  return [...loaded.values()].some(({ pdu }) => pdu.membership === 'invite');
}
