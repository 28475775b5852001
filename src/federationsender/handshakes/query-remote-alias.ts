// Which room another server's alias stands for.

import { MatrixError } from '../../protocol/error.ts';
import { isRoomId, serverNameOf } from '../../protocol/identifiers.ts';
import type { FederationsenderApi } from '../api.ts';
import { MalformedAnswer } from './answer-error.ts';
import { serversOf } from './answer-shapes.ts';
import type { HandshakeContext } from './context.ts';

type Query = FederationsenderApi['queryRemoteAlias'];

/** More would not be asked. */
const MAX_SERVERS = 200;

export async function queryRemoteAlias(
  { client, logger }: HandshakeContext,
  { alias }: Parameters<Query>[0],
): ReturnType<Query> {
  const server = serverNameOf(alias);
  try {
    const answer = await client.request({
      destination: server,
      method: 'GET',
      path: '/_matrix/federation/v1/query/directory',
      query: { room_alias: alias },
    });
    const roomId = answer.room_id;
    if (!isRoomId(roomId)) throw new MalformedAnswer('room_id is none');
    return { roomId, servers: serversOf(answer.servers).slice(0, MAX_SERVERS) };
  } catch (error) {
    logger.info({ server, alias, err: error }, 'an alias of another server was not found');
    throw new MatrixError('M_NOT_FOUND', 'Room alias not found');
  }
}
