// queryRemotePublicRooms: a page of another server's published room directory (Server-Server API, "Published Room
// Directory"). Its tokens are its own affair, and go back to it as they are.

import { FederationError } from '../../federation/federation-error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { PublicRooms, RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { remoteRefusal } from '../remote/remote-refusal.ts';
import { isCount, readPublicRoom } from './read-public-room.ts';

type RoomsRequest = Parameters<RoomserverApi['queryRemotePublicRooms']>[0];

const PATH = '/_matrix/federation/v1/publicRooms';
const TIMEOUT_MS = 20_000;
const MAX_BYTES = 4 * 1024 * 1024;
const LONGEST_TOKEN = 4096;

export async function queryRemotePublicRooms(
  { federation, logger }: Pick<RoomserverContext, 'federation' | 'logger'>,
  request: RoomsRequest,
): Promise<PublicRooms> {
  const { server: destination } = request;
  // Zero would mean all of them.
  const limit = Math.max(1, request.limit);
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES };
  try {
    if (federation === undefined) {
      throw new FederationError('denied', destination, { message: 'no other server is asked' });
    }
    const answer = await federation.request({
      destination,
      ...limits,
      ...asked({ ...request, limit }),
    });
    if (!Array.isArray(answer.chunk)) {
      throw new FederationError('malformed', destination, { message: 'there is no chunk' });
    }
    return readPage(answer, answer.chunk, limit);
  } catch (error) {
    logger.info({ server: destination, err: error }, "another server's room list was not had");
    throw remoteRefusal(error);
  }
}

/** A filter needs a body. */
function asked({ limit, since, ...more }: RoomsRequest) {
  const { searchTerm, roomTypes, includeAllNetworks, thirdPartyInstanceId } = more;
  const common = {
    ...(since !== undefined && { since }),
    ...(thirdPartyInstanceId !== undefined && { third_party_instance_id: thirdPartyInstanceId }),
  };
  const isAll = includeAllNetworks === true;
  if (searchTerm === undefined && roomTypes === undefined) {
    const query = { ...common, limit: `${limit}`, ...(isAll && { include_all_networks: 'true' }) };
    return { method: 'GET', path: PATH, query } as const;
  }
  const filter = {
    ...(searchTerm !== undefined && { generic_search_term: searchTerm }),
    ...(roomTypes !== undefined && { room_types: [...roomTypes] }),
  };
  const body = { ...common, limit, ...(isAll && { include_all_networks: true }), filter };
  return { method: 'POST', path: PATH, body } as const;
}

function readPage(answer: JsonObject, chunk: readonly JsonValue[], limit: number): PublicRooms {
  const rooms = chunk.slice(0, limit).filter(isJsonObject);
  const { next_batch: next, prev_batch: previous, total_room_count_estimate: total } = answer;
  return {
    chunk: rooms.map(readPublicRoom).filter((room) => room !== undefined),
    ...(isToken(next) && { nextBatch: next }),
    ...(isToken(previous) && { prevBatch: previous }),
    ...(isCount(total) && { totalRoomCountEstimate: total }),
  };
}

function isToken(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TOKEN;
}
