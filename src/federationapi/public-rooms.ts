// What both forms of listing published rooms do.

import { MatrixError } from '../protocol/error.ts';
import type { FederationapiContext } from './context.ts';

/** Servers that want all of them page through the list. */
const MAX_ROOMS = 500;

interface Query {
  readonly limit?: number | undefined;
  readonly since?: string | null | undefined;
  readonly filter?: {
    readonly generic_search_term?: string | null;
    readonly room_types?: readonly (string | null)[];
  };
  readonly third_party_instance_id?: string | undefined;
}

/** The body of the answer. Errors: M_FORBIDDEN unless the list is open to other servers, M_INVALID_PARAM. */
export async function publicRooms(
  { roomserver, config }: FederationapiContext,
  { limit, since, filter, third_party_instance_id: network }: Query,
): Promise<object> {
  if (!config.publicRoomsOverFederation) {
    throw new MatrixError('M_FORBIDDEN', 'The list of rooms is not open to other servers');
  }
  // No third-party network is bridged here.
  if (network !== undefined) return { chunk: [], total_room_count_estimate: 0 };
  const { generic_search_term: searchTerm, room_types: roomTypes } = filter ?? {};
  const rooms = await roomserver.queryPublicRooms({
    limit: Math.min(limit || MAX_ROOMS, MAX_ROOMS),
    ...(since != null && since !== '' && { since }),
    ...(searchTerm != null && searchTerm !== '' && { searchTerm }),
    ...(roomTypes !== undefined && { roomTypes }),
  });
  return {
    chunk: rooms.chunk,
    ...(rooms.nextBatch !== undefined && { next_batch: rooms.nextBatch }),
    ...(rooms.prevBatch !== undefined && { prev_batch: rooms.prevBatch }),
    ...(rooms.totalRoomCountEstimate !== undefined && {
      total_room_count_estimate: rooms.totalRoomCountEstimate,
    }),
  };
}
