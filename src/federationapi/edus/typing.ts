// m.typing: a user of another server types in a room of ours, or has stopped.

import { MatrixError } from '../../protocol/error.ts';
import { parseRoomId } from '../../protocol/identifiers.ts';
import type { FederationapiContext } from '../context.ts';
import { checkSharesRoom, joinedOf } from '../joined-users.ts';
import { checkedUserOf, type ReceivedEdu } from './edu.ts';

/** ms: servers repeat it sooner while it lasts. */
const TIMEOUT = 30_000;

export async function receiveTyping(
  context: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  const userId = checkedUserOf(origin, content.user_id);
  const roomId = parseRoomId(content.room_id);
  if (typeof content.typing !== 'boolean') {
    throw new MatrixError('M_BAD_JSON', "'typing' is no boolean");
  }
  await checkSharesRoom(context, { origin, roomId });
  if (!(await joinedOf(context, roomId, [userId])).has(userId)) {
    throw new MatrixError('M_FORBIDDEN', 'The user is not in the room');
  }
  const { typing } = content;
  context.eventLog.publishEphemeral('edu.typing', roomId, { userId, typing, timeoutMs: TIMEOUT });
}
