// What both forms of listing published rooms do.

import { MatrixError } from '../protocol/error.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { withoutUndefined } from './without-undefined.ts';

export const PUBLIC_ROOMS_LIMIT = { whenAbsent: 100, maximum: 500 };

type Query = Parameters<RoomserverApi['queryPublicRooms']>[0];

/** The body of the answer. Errors: M_NOT_FOUND for lists of other servers, M_INVALID_PARAM. */
export async function publicRooms(
  { roomserver, serverName }: ClientapiContext,
  server: ServerName | undefined,
  query: Query,
): Promise<object> {
  if (server !== undefined && server !== serverName) {
    throw new MatrixError('M_NOT_FOUND', `The room list of ${server} cannot be reached`);
  }
  const rooms = await roomserver.queryPublicRooms(query);
  return withoutUndefined({
    chunk: rooms.chunk,
    next_batch: rooms.nextBatch,
    prev_batch: rooms.prevBatch,
    total_room_count_estimate: rooms.totalRoomCountEstimate,
  });
}
