// Begins to look into a room through the first of some servers that shows it. What the server relays from its cut on is held
// until its snapshot is stored, and received then: so that there is neither a gap nor an overlap.

import { GatewayError, MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { ROOM_VERSIONS } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { inputState } from '../input/input-state.ts';
import { takeHeld } from '../receiving/receive-pdus.ts';
import type { OutboundPeek } from '../store/outbound-peeks.ts';
import { type CatchUp, catchUp } from './catch-up.ts';
import type { HeldPdus } from './held-pdus.ts';
import { readPeekAnswer } from './peek-answer.ts';

export interface PeekToBegin {
  readonly roomId: RoomId;
  /** In the order in which they are asked. */
  readonly servers: readonly ServerName[];
  readonly held: HeldPdus;
  readonly signal: AbortSignal;
}

/** Events received at once. */
const CHUNK = 50;

/** Errors: those of the servers; M_NOT_FOUND where there are none. */
export async function beginPeek(context: RoomserverContext, start: PeekToBegin): Promise<void> {
  const { roomId, servers, held } = start;
  held.open(roomId, servers);
  try {
    await throughFirst(context, start);
  } finally {
    // Also where it has failed: one of our users may have joined meanwhile.
    await receiveHeld(context, roomId, held);
  }
}

async function throughFirst(context: RoomserverContext, start: PeekToBegin): Promise<void> {
  const { federationsender, logger } = context;
  const { roomId, servers, signal } = start;
  const roomVersions = ROOM_VERSIONS;
  let failure: unknown = new MatrixError('M_NOT_FOUND', 'No such room');
  let left = servers;
  while (left.length > 0) {
    signal.throwIfAborted();
    const request = { roomId, servers: left, roomVersions };
    const { server, peekId, answer } = await federationsender.performOutboundPeek(request);
    const peek = { roomId, server, peekId };
    try {
      await storeAnswer(context, peek, { answer: readPeekAnswer(answer), signal });
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
  { answer, signal }: Pick<CatchUp, 'answer' | 'signal'>,
): Promise<void> {
  const { roomId, server } = peek;
  const { renewalInterval, ...state } = answer;
  await catchUp(context, { roomId, server, answer, signal });
  const input = { ...state, roomId, reason: 'peek' as const };
  await inputState(context, { ...input, peek: { ...peek, renewalInterval } });
}

/** In the order in which they came; those that come meanwhile are held, too. */
async function receiveHeld(
  context: RoomserverContext,
  roomId: RoomId,
  held: HeldPdus,
): Promise<void> {
  try {
    for (let taken = held.take(roomId, CHUNK); taken !== undefined; ) {
      await takeHeld(context, { roomId, ...taken });
      taken = held.take(roomId, CHUNK);
    }
  } catch (error) {
    // They are found to be missing by what refers to them.
    context.logger.error({ roomId, err: error }, 'events that were held were not received');
  } finally {
    held.close(roomId);
  }
}
