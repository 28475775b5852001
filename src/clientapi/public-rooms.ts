// What both forms of listing published rooms do.

import type { ServerName } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { withoutUndefined } from './without-undefined.ts';

export const PUBLIC_ROOMS_LIMIT = { whenAbsent: 100, maximum: 500 };

type Query = Omit<Parameters<RoomserverApi['queryRemotePublicRooms']>[0], 'server'>;

/** The body of the answer. Errors: as queryPublicRooms and queryRemotePublicRooms. */
export async function publicRooms(
  { roomserver, serverName }: ClientapiContext,
  server: ServerName | undefined,
  query: Query,
): Promise<object> {
  const isRemote = server !== undefined && server !== serverName;
  // No third-party network is bridged here.
  if (!isRemote && query.thirdPartyInstanceId !== undefined) {
    return { chunk: [], total_room_count_estimate: 0 };
  }
  const rooms = isRemote
    ? await roomserver.queryRemotePublicRooms({ ...query, server })
    : await roomserver.queryPublicRooms(query);
  return withoutUndefined({
    chunk: rooms.chunk,
    next_batch: rooms.nextBatch,
    prev_batch: rooms.prevBatch,
    total_room_count_estimate: rooms.totalRoomCountEstimate,
  });
}
