// send_join, send_leave and send_knock: the signed event goes to a server that is in the room.

import type { FederationRequest } from '../../federation/api.ts';
import { federationPath } from '../../federation/federation-path.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import type { HandshakeEvent, SendJoinAnswer } from '../api.ts';
import { answerError, isUnrecognized } from './answer-error.ts';
import { isPdu, objectsOf, pdusOf, serversOf } from './answer-shapes.ts';
import type { HandshakeContext } from './context.ts';

/** The state of a room with some 50,000 members, with its auth chain. */
const MAX_JOIN_BYTES = 128 * 1024 * 1024;
/** In ms: the other server has to gather it all. */
const JOIN_TIMEOUT_MS = 180_000;

export async function sendJoin(
  context: HandshakeContext,
  request: HandshakeEvent,
): Promise<SendJoinAnswer> {
  const bounds = { timeoutMs: JOIN_TIMEOUT_MS, maxBytes: MAX_JOIN_BYTES };
  return asked(context, async () => {
    const answer = await put(context, request, { endpoint: 'send_join', bounds });
    const { event } = answer;
    return {
      state: pdusOf(answer.state, 'state'),
      authChain: pdusOf(answer.auth_chain, 'auth_chain'),
      ...(isJsonObject(event) && isPdu(event) && { event }),
      membersOmitted: answer.members_omitted === true,
      serversInRoom: serversOf(answer.servers_in_room),
    };
  });
}

export async function sendLeave(context: HandshakeContext, request: HandshakeEvent): Promise<void> {
  await asked(context, () => put(context, request, { endpoint: 'send_leave' }));
}

export async function sendKnock(
  context: HandshakeContext,
  { server, roomId, event }: HandshakeEvent,
): Promise<{ strippedState: JsonObject[] }> {
  return asked(context, async () => {
    const answer = await context.client.request({
      destination: server,
      method: 'PUT',
      path: federationPath`/_matrix/federation/v1/send_knock/${roomId}/${event.eventId}`,
      body: event.json,
    });
    return { strippedState: objectsOf(answer.knock_room_state, 'knock_room_state') };
  });
}

interface Endpoint {
  readonly endpoint: 'send_join' | 'send_leave';
  readonly bounds?: Pick<FederationRequest, 'timeoutMs' | 'maxBytes'>;
}

/** By version 2, and by version 1 where that is not known. */
async function put(
  { client }: HandshakeContext,
  { server, roomId, event }: HandshakeEvent,
  { endpoint, bounds = {} }: Endpoint,
): Promise<JsonObject> {
  const request = { destination: server, method: 'PUT', body: event.json, ...bounds } as const;
  const path = (version: string) =>
    federationPath`/_matrix/federation/${version}/${endpoint}/${roomId}/${event.eventId}`;
  try {
    return await client.request({ ...request, path: path('v2') });
  } catch (error) {
    if (!isUnrecognized(error)) throw error;
    return client.request({ ...request, path: path('v1') });
  }
}

async function asked<T>(
  { logger }: Pick<HandshakeContext, 'logger'>,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    logger.info({ err: error }, 'a handshake with another server failed');
    throw answerError(error);
  }
}
