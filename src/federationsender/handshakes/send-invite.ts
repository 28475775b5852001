// invite: the server of the invited user adds its signature to the event.

import { federationPath } from '../../federation/federation-path.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { FederationsenderApi } from '../api.ts';
import { answerError, isUnrecognized } from './answer-error.ts';
import { objectOf } from './answer-shapes.ts';
import type { HandshakeContext } from './context.ts';

type InviteRequest = Parameters<FederationsenderApi['performSendInvite']>[0];

export async function sendInvite(
  context: HandshakeContext,
  request: InviteRequest,
): Promise<{ event: JsonObject }> {
  try {
    const answer = await invite(context, request);
    return { event: objectOf(answer.event, 'event') };
  } catch (error) {
    const { server, event } = request;
    context.logger.info({ server, eventId: event.eventId, err: error }, 'an invite failed');
    throw answerError(error);
  }
}

/** By version 2, and by version 1, which knows no room versions but the first two, where that is not known. */
async function invite(
  { client }: HandshakeContext,
  { server, roomVersion, event, strippedState }: InviteRequest,
): Promise<JsonObject> {
  const { roomId, eventId, json } = Pdu.from(event);
  const path = (version: string) =>
    federationPath`/_matrix/federation/${version}/invite/${roomId}/${eventId}`;
  const request = { destination: server, method: 'PUT' } as const;
  try {
    const body = { room_version: roomVersion, event: json, invite_room_state: strippedState };
    return await client.request({ ...request, path: path('v2'), body });
  } catch (error) {
    if (!isUnrecognized(error) || (roomVersion !== '1' && roomVersion !== '2')) throw error;
    const body = { ...json, unsigned: { invite_room_state: strippedState } };
    return client.request({ ...request, path: path('v1'), body });
  }
}
