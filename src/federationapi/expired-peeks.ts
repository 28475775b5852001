// `expired_peeks` of a transaction (MSC2444): the server has ended looks of ours into its rooms.

import { isRoomId, type ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { FederationapiContext } from './context.ts';

/** What is malformed is passed over, as are peeks that we do not hold there. */
export async function receiveExpiredPeeks(
  { federationsender }: Pick<FederationapiContext, 'federationsender'>,
  server: ServerName,
  expired: readonly JsonObject[],
): Promise<void> {
  const peeks = expired.flatMap(({ room_id: roomId, peek_id: peekId }) =>
    isRoomId(roomId) && typeof peekId === 'string' ? [{ roomId, peekId }] : [],
  );
  if (peeks.length > 0) await federationsender.noteExpiredPeeks({ server, peeks });
}
