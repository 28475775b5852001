// Begins to look into a room through the first of some servers that shows it. What the server relays from its cut on is held
// until its snapshot is stored, and received then: so that there is neither a gap nor an overlap.

import { GatewayError, MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { inputState } from '../input/input-state.ts';
import type { OutboundPeek } from '../store/outbound-peeks.ts';
import { type CatchUp, catchUp } from './catch-up.ts';
import { readPeekAnswer } from './peek-answer.ts';
import { whileHeld } from './while-held.ts';

export interface PeekToBegin {
  readonly roomId: RoomId;
  /** In the order in which they are asked. */
  readonly servers: readonly ServerName[];
  readonly signal: AbortSignal;
  /** Somebody waits. */
  readonly hurry: AbortSignal;
}

/** Errors: those of the servers; M_NOT_FOUND where there are none. */
export function beginPeek(context: RoomserverContext, start: PeekToBegin): Promise<void> {
  return whileHeld(context, start, () => throughFirst(context, start));
}

async function throughFirst(context: RoomserverContext, start: PeekToBegin): Promise<void> {
  const { federationsender, logger } = context;
  const { roomId, servers, signal, hurry } = start;
  const roomVersions = ROOM_VERSIONS;
  let failure: unknown = new MatrixError('M_NOT_FOUND', 'No such room');
  let left = servers;
  while (left.length > 0) {
    signal.throwIfAborted();
    const request = { roomId, servers: left, roomVersions };
    const { server, peekId, answer } = await federationsender.performOutboundPeek(request);
    const peek = { roomId, server, peekId };
    try {
      await storeAnswer(context, peek, { answer: await readPeekAnswer(answer), hurry });
      return;
    } catch (error) {
      logger.info({ roomId, server, err: error }, 'what a server shows of a room is not used');
      failure = failureOf(error, server);
      await federationsender.performCancelOutboundPeek(peek);
    }
    left = left.slice(left.indexOf(server) + 1);
  }
  throw failure;
}

/** What is wrong with the answer stands in the log; who wants to look is told whose fault it is. */
function failureOf(error: unknown, server: ServerName): unknown {
  if (!(error instanceof MatrixError) || error.errcode === 'M_BAD_STATE') return error;
  return new GatewayError('M_UNKNOWN', `What ${server} shows of the room cannot be used`);
}

async function storeAnswer(
  context: RoomserverContext,
  peek: OutboundPeek,
  { answer, hurry }: Pick<CatchUp, 'answer' | 'hurry'>,
): Promise<void> {
  const { roomId, server } = peek;
  const { renewalInterval, ...state } = answer;
  await catchUp(context, { roomId, server, answer, hurry });
  const input = { ...state, roomId, origin: server, reason: 'peek' as const };
  await inputState(context, { ...input, peek: { ...peek, renewalInterval } });
}
