// Whole states of a room and their auth chains.

import { MatrixError } from '../../protocol/error.ts';
import type { PduJson } from '../../protocol/events/pdu.ts';
import type { EventId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import type { ServingApi } from '../serving-api.ts';
import { accessOf, type ServingContext } from './access.ts';
import { authChainOf } from './auth-chain.ts';
import { servedEvent } from './event.ts';
import { loadInChunks } from './load-in-chunks.ts';
import { Sight } from './sight.ts';

type StateRequest = Parameters<ServingApi['queryStateFor']>[0];

export async function queryStateFor(
  context: ServingContext,
  request: StateRequest,
): ReturnType<ServingApi['queryStateFor']> {
  const { state, authChain } = await stateBefore(context, request);
  return { state: state.map(jsonOf), authChain: authChain.map(jsonOf) };
}

export async function queryStateIdsFor(
  context: ServingContext,
  request: StateRequest,
): ReturnType<ServingApi['queryStateIdsFor']> {
  const { state, authChain } = await stateBefore(context, request);
  return { stateIds: state.map(idOf), authChainIds: authChain.map(idOf) };
}

export async function queryEventAuthFor(
  context: ServingContext,
  { eventId, ...request }: Parameters<ServingApi['queryEventAuthFor']>[0],
): ReturnType<ServingApi['queryEventAuthFor']> {
  const access = await accessOf(context, request);
  const record = await servedEvent(context, eventId, request.roomId);
  if (!access.isMember && !(await new Sight(context, access).discloses(record))) throw hidden();
  const { createEventId } = access.head;
  // Events of room version 12 do not name m.room.create, which authorizes them all the same.
  const implied = createEventId === undefined || createEventId === eventId ? [] : [createEventId];
  const chain = await authChainOf(context, [...record.pdu.authEvents, ...implied]);
  return { authChain: chain.map(jsonOf) };
}

async function stateBefore(
  context: ServingContext,
  { eventId, ...request }: StateRequest,
): Promise<{ state: readonly EventRecord[]; authChain: readonly EventRecord[] }> {
  const access = await accessOf(context, request);
  const record = await servedEvent(context, eventId, request.roomId);
  if (record.stateBefore === undefined) {
    throw new MatrixError('M_NOT_FOUND', 'The state at the event is not known');
  }
  // States are given whole; but who looks in from outside is shown none of the times when the room was not open.
  if (!access.isMember && !(await new Sight(context, access).sees(record))) throw hidden();
  const states = context.states.ofRoom(request.roomId);
  const entries = await states.entries(record.stateBefore, 'all');
  const ids = entries.map((entry) => entry.eventId);
  const state = await loadInChunks(context.events, ids);
  const authEvents = new Set(state.flatMap(({ pdu }) => pdu.authEvents));
  return { state, authChain: await authChainOf(context, authEvents) };
}

function hidden(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'The server may not see the room as it was then');
}

function jsonOf({ pdu }: EventRecord): PduJson {
  return pdu.json;
}

function idOf({ pdu }: EventRecord): EventId {
  return pdu.eventId;
}
