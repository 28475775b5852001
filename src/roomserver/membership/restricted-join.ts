// Joining by membership in another room (Client-Server API, "Restricted rooms"): a local user with the power to
// invite stands in for the invite.

import { roomCreators } from '../../protocol/auth/creators.ts';
import { type PowerLevels, powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import { readAllowedRooms, readJoinRule } from '../../protocol/events/content.ts';
import { isUserId, type RoomId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import { isJsonObject } from '../../protocol/json.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectIsJoinedToAny, selectLocalMembers } from '../store/memberships.ts';
import { selectHead } from '../store/rooms.ts';

type Context = Pick<RoomserverContext, 'database' | 'serverName' | 'states' | 'events'>;

/** How many members are looked through for one who is there, where all may invite. */
const MAX_CANDIDATES = 100;
/** How many rooms are looked into; each is a look into its state. */
const MAX_CONDITIONS = 100;

/**
 * Whom the join has to name; undefined where the join rule asks for nobody. Throws M_FORBIDDEN when the user is in
 * none of the allowed rooms, M_UNABLE_TO_AUTHORISE_JOIN when that is not known here, M_UNABLE_TO_GRANT_JOIN when nobody
 * here may invite.
 */
export async function authorisingUser(
  context: Context,
  room: RoomDraft,
  userId: UserId,
): Promise<UserId | undefined> {
  const joinRules = await room.currentEvent('m.room.join_rules', '');
  const rule = readJoinRule(joinRules?.pdu.content);
  const isRestricted =
    (rule === 'restricted' && room.rules.restrictedJoins) ||
    (rule === 'knock_restricted' && room.rules.knockRestricted);
  if (!isRestricted) return undefined;
  await checkAllowed(context, userId, readAllowedRooms(joinRules?.pdu.content));
  const authoriser = await findAuthoriser(context, room);
  if (authoriser !== undefined) return authoriser;
  throw new MatrixError('M_UNABLE_TO_GRANT_JOIN', 'Nobody on this server may let you in');
}

/** Reads what is committed, and so needs no lock of the other rooms. */
async function checkAllowed(
  context: Context,
  userId: UserId,
  allowed: readonly RoomId[],
): Promise<void> {
  const isOurs = serverNameOf(userId) === context.serverName;
  const isIn = isOurs
    ? selectIsJoinedToAny(context.database, userId, allowed)
    : isJoinedToAny(context, userId, allowed);
  if (await isIn) return;
  throw new MatrixError('M_FORBIDDEN', 'You are in none of the rooms whose members may join');
}

/**
 * Of a user of another server: by the rooms in which we are. Throws M_UNABLE_TO_AUTHORISE_JOIN when she may be in one of
 * the others.
 */
async function isJoinedToAny(
  { database, states, events }: Context,
  userId: UserId,
  allowed: readonly RoomId[],
): Promise<boolean> {
  let isUncertain = false;
  for (const roomId of allowed.slice(0, MAX_CONDITIONS)) {
    // Not through `rooms`: the lock of this room is held.
    const head = await selectHead(database, roomId);
    if (head === undefined || head.localMembers === 0) {
      isUncertain = true;
      continue;
    }
    const id = await states.ofRoom(roomId).get(head.currentState, 'm.room.member', userId);
    const member = id === undefined ? undefined : await events.get(id);
    if (member?.pdu.membership === 'join') return true;
  }
  if (!isUncertain) return false;
  const reason = 'This server is not in the rooms whose members may join';
  throw new MatrixError('M_UNABLE_TO_AUTHORISE_JOIN', reason);
}

async function findAuthoriser(context: Context, room: RoomDraft): Promise<UserId | undefined> {
  const create = await room.currentEvent('m.room.create', '');
  const powerLevels = await room.currentEvent('m.room.power_levels', '');
  const events = { create: create?.pdu, powerLevels: powerLevels?.pdu };
  const levels = powerLevelsFrom(events, room.rules);
  const creators = create === undefined ? [] : roomCreators(create.pdu, room.rules);
  for (const userId of await candidates(context, room, { levels, creators, events })) {
    if (levels.levelOf(userId) < levels.invite) continue;
    const event = await room.currentEvent('m.room.member', userId);
    if (event?.pdu.membership === 'join') return userId;
  }
  return undefined;
}

interface Powers {
  readonly levels: PowerLevels;
  readonly creators: readonly string[];
  readonly events: Parameters<typeof powerLevelsFrom>[0];
}

/** Who has more power than everybody is named somewhere; where everybody has enough, some of the members will do. */
async function candidates(
  { database, serverName }: Context,
  room: RoomDraft,
  { levels, creators, events }: Powers,
): Promise<UserId[]> {
  const users = events.powerLevels?.content.users;
  const named = [...creators, ...Object.keys(isJsonObject(users) ? users : {})];
  const local = named.filter((userId) => isUserId(userId) && serverNameOf(userId) === serverName);
  if (levels.usersDefault < levels.invite) return local as UserId[];
  const which = { membership: 'join', limit: MAX_CANDIDATES };
  return [...(local as UserId[]), ...(await selectLocalMembers(database, room.roomId, which))];
}
