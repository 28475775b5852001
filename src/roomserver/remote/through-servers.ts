// A handshake through one server after the other, until one of them has done it.

import type { Handshake } from '../../federationsender/api.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { BadAnswer } from './bad-answer.ts';

export interface HandshakePlan {
  readonly handshake: Handshake;
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly servers: readonly ServerName[];
}

export type MadeHandshake = Awaited<ReturnType<HandshakeSender['performMakeHandshake']>>;

/** Throws the MatrixError of the last that refused; M_UNKNOWN where the last gave a bad answer. */
export async function throughServers<T>(
  {
    logger,
    federationsender,
  }: Pick<RoomserverContext, 'logger'> & { readonly federationsender: HandshakeSender },
  plan: HandshakePlan,
  complete: (made: MadeHandshake) => Promise<T>,
): Promise<T> {
  const { roomId, handshake } = plan;
  let servers = plan.servers;
  for (;;) {
    const roomVersions = ROOM_VERSIONS;
    const made = await federationsender.performMakeHandshake({ ...plan, servers, roomVersions });
    try {
      return await complete(made);
    } catch (error) {
      const { server } = made;
      servers = servers.includes(server) ? servers.slice(servers.indexOf(server) + 1) : [];
      if (!(error instanceof BadAnswer || error instanceof MatrixError)) throw error;
      logger.info({ roomId, handshake, server, reason: error.message }, 'a handshake has failed');
      if (servers.length > 0) continue;
      if (error instanceof MatrixError) throw error;
      throw new MatrixError('M_UNKNOWN', `The answer of ${server} cannot be used`);
    }
  }
}
