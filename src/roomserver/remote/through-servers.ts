// A handshake through one server after the other, until one of them has done it.

import type { Handshake } from '../../federationsender/api.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { HandshakeSender, RoomserverContext } from '../context.ts';
import { PolicyRefusal } from '../policy/signature-needed.ts';
import { BadAnswer } from './bad-answer.ts';

export interface HandshakePlan {
  readonly handshake: Handshake;
  readonly roomId: RoomId;
  readonly userId: UserId;
  readonly servers: readonly ServerName[];
}

export type MadeHandshake = Awaited<ReturnType<HandshakeSender['performMakeHandshake']>>;

/**
 * Throws what the last server said that had given a template, else what the last that was asked for one said; M_UNKNOWN
 * for an answer that cannot be used.
 */
export async function throughServers<T>(
  {
    logger,
    federationsender,
  }: Pick<RoomserverContext, 'logger'> & { readonly federationsender: HandshakeSender },
  plan: HandshakePlan,
  complete: (made: MadeHandshake) => Promise<T>,
): Promise<T> {
  const { roomId, handshake } = plan;
  const roomVersions = ROOM_VERSIONS;
  let { servers } = plan;
  let failure: MatrixError | undefined;
  for (;;) {
    const request = { ...plan, servers, roomVersions };
    const made = await federationsender.performMakeHandshake(request).catch((error: unknown) => {
      throw failure ?? error;
    });
    const { server } = made;
    try {
      return await complete(made);
    } catch (error) {
      // By whomever it is sent.
      if (error instanceof PolicyRefusal) throw error;
      failure = failureOf(error, server);
      logger.info({ roomId, handshake, server, err: error }, 'a handshake has failed');
    }
    servers = servers.includes(server) ? servers.slice(servers.indexOf(server) + 1) : [];
    if (servers.length === 0) throw failure;
  }
}

/** Throws what is no server's fault. */
function failureOf(error: unknown, server: ServerName): MatrixError {
  if (error instanceof MatrixError) return error;
  if (!(error instanceof BadAnswer)) throw error;
  return new MatrixError('M_UNKNOWN', `The answer of ${server} cannot be used`);
}
