// Who is in a room, for what only members may tell it.

import { MatrixError } from '../protocol/error.ts';
import type { RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { FederationapiContext } from './context.ts';

type Context = Pick<FederationapiContext, 'roomserver'>;

/** Throws M_NOT_FOUND where none of our users is in the room, M_FORBIDDEN where its ACL denies the server. */
export async function checkSharesRoom(
  { roomserver }: Context,
  { origin, roomId }: { readonly origin: ServerName; readonly roomId: RoomId },
): Promise<void> {
  const room = await roomserver.queryRoom({ roomId });
  if (room?.isResident !== true) throw new MatrixError('M_NOT_FOUND', 'No such room');
  await roomserver.checkServerAcl({ origin, roomId });
}

/** Those of the users that have joined the room. */
export async function joinedOf(
  { roomserver }: Context,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<ReadonlySet<UserId>> {
  const memberships = await roomserver.queryMemberships({ roomId, userIds });
  const joined = memberships.filter(({ membership }) => membership === 'join');
  return new Set(joined.map(({ userId }) => userId));
}
