// An event of ours for a server through which we look into a room: in a transaction of its own, before it is anybody's. Whether
// it was accepted is not what the answer to the transaction says, but that the server has the event then.

import type { FederationRequest } from '../../federation/api.ts';
import { federationPath } from '../../federation/federation-path.ts';
import { MatrixError } from '../../protocol/error.ts';
import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import { randomOpaqueId } from '../../protocol/opaque-ids.ts';
import type { HandshakeEvent } from '../api.ts';
import { answerError } from './answer-error.ts';
import type { HandshakeContext } from './context.ts';

/** A user waits for it; ms. */
const TIMEOUT_MS = 10_000;
/** ms before each look at whether it is there. */
const PAUSES_MS = [0, 50, 100, 200, 400, 800, 1_600] as const;
const TXN_LENGTH = 18;

export async function offerEvent(
  context: HandshakeContext,
  { server, event }: HandshakeEvent,
): Promise<void> {
  const { clock, serverName } = context;
  const answer = await ask(context, {
    destination: server,
    method: 'PUT',
    path: federationPath`/_matrix/federation/v1/send/${randomOpaqueId(TXN_LENGTH)}`,
    body: { origin: serverName, origin_server_ts: clock.now(), pdus: [event.json] },
  });
  const result = isJsonObject(answer.pdus) ? answer.pdus[event.eventId] : undefined;
  if (isJsonObject(result) && result.error !== undefined) throw refused();
  const path = federationPath`/_matrix/federation/v1/event/${event.eventId}`;
  for (const pause of PAUSES_MS) {
    if (pause > 0) await new Promise<void>((resolve) => clock.schedule(pause, resolve));
    if (await isThere(context, { destination: server, method: 'GET', path })) return;
  }
  throw refused();
}

async function isThere(context: HandshakeContext, request: FederationRequest): Promise<boolean> {
  try {
    const { pdus } = await ask(context, request);
    return Array.isArray(pdus) && pdus.length === 1;
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_NOT_FOUND') return false;
    throw error;
  }
}

async function ask({ client }: HandshakeContext, request: FederationRequest): Promise<JsonObject> {
  try {
    return await client.request({ ...request, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw answerError(error);
  }
}

function refused(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'The other server has not accepted the event');
}
