// Joining by membership in another room (Client-Server API, "Restricted rooms"): a local user with the power to
// invite stands in for the invite.

import { powerLevelsFrom } from '../../protocol/auth/power-levels.ts';
import { MatrixError } from '../../protocol/error.ts';
import { readAllowedRooms, readJoinRule } from '../../protocol/events/content.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectLocalMembers, selectRoomsOfUser } from '../store/memberships.ts';

type Context = Pick<RoomserverContext, 'database' | 'rooms'>;

/** How many local members are looked through for one with the power to invite. */
const MAX_CANDIDATES = 1_000;

/**
 * Whom the join has to name; undefined where the join rule asks for nobody. Throws M_FORBIDDEN when the user is in
 * none of the allowed rooms, M_UNABLE_TO_GRANT_JOIN when nobody here may invite.
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
  { database }: Context,
  userId: UserId,
  allowed: readonly RoomId[],
): Promise<void> {
  const joined = await selectRoomsOfUser(database, userId, ['join']);
  if (joined.some(({ room_id }) => allowed.includes(room_id))) return;
  throw new MatrixError('M_FORBIDDEN', 'You are in none of the rooms whose members may join');
}

async function findAuthoriser({ database }: Context, room: RoomDraft): Promise<UserId | undefined> {
  const create = await room.currentEvent('m.room.create', '');
  const powerLevels = await room.currentEvent('m.room.power_levels', '');
  const events = { create: create?.pdu, powerLevels: powerLevels?.pdu };
  const levels = powerLevelsFrom(events, room.rules);
  const members = await selectLocalMembers(database, room.roomId, {
    membership: 'join',
    limit: MAX_CANDIDATES,
  });
  for (const member of members) {
    if (levels.levelOf(member) < levels.invite) continue;
    const event = await room.currentEvent('m.room.member', member);
    if (event?.pdu.membership === 'join') return member;
  }
  return undefined;
}
