// Sends one transaction to one destination.

import { isJsonObject, type JsonObject } from '../../protocol/json.ts';
import {
  type Destination,
  selectIsCatchingUp,
  updateRetryAt,
  updateSucceeded,
} from '../store/destinations.ts';
import type { Outgoing } from '../store/transactions.ts';
import { isDurable, nextTransaction } from './compose.ts';
import type { SendingContext } from './context.ts';
import { deleteParts, recordFailure } from './failure.ts';

/** Some servers fetch what they miss before they answer. */
const TIMEOUT_MS = 60_000;

export type Outcome =
  | { readonly kind: 'sent' | 'idle' | 'stopped' }
  | { readonly kind: 'failed'; readonly retryAt: number };

export async function sendNext(
  context: SendingContext,
  destination: Destination,
): Promise<Outcome> {
  const outgoing = await nextTransaction(context, destination);
  if (outgoing === undefined) return rest(context, destination);
  let answer: JsonObject;
  try {
    answer = await send(context, destination, outgoing);
  } catch (error) {
    if (context.signal.aborted) return { kind: 'stopped' };
    const { server } = destination;
    const retryAt = await recordFailure(context, destination, { outgoing, error });
    context.logger.debug({ server, retryAt, err: error }, 'a transaction was not delivered');
    return { kind: 'failed', retryAt };
  }
  logRefused(context, destination, answer);
  await settle(context, destination, outgoing);
  return { kind: 'sent' };
}

async function send(
  context: SendingContext,
  { server }: Destination,
  outgoing: Outgoing,
): Promise<JsonObject> {
  const { client, serverName, pdus, signal } = context;
  const body = {
    origin: serverName,
    origin_server_ts: outgoing.originServerTs,
    pdus: await pdus.read(outgoing.parts.pdus),
    ...(outgoing.edus.length > 0 && { edus: outgoing.edus }),
    ...expiredPeeks(outgoing),
  };
  return client.request({
    destination: server,
    method: 'PUT',
    path: `/_matrix/federation/v1/send/${encodeURIComponent(outgoing.txnId)}`,
    body,
    timeoutMs: TIMEOUT_MS,
    signal,
  });
}

/** MSC2444. */
function expiredPeeks({ parts }: Outgoing): JsonObject {
  if (parts.expiredPeeks.length === 0) return {};
  return {
    expired_peeks: parts.expiredPeeks.map(({ roomId, peekId }) => ({
      room_id: roomId,
      peek_id: peekId,
    })),
  };
}

/** An event that the other server does not accept is delivered all the same. */
function logRefused({ logger }: SendingContext, { server }: Destination, answer: JsonObject): void {
  if (!isJsonObject(answer.pdus)) return;
  for (const [eventId, result] of Object.entries(answer.pdus)) {
    if (!isJsonObject(result) || typeof result.error !== 'string') continue;
    const error = result.error.slice(0, 500);
    logger.debug({ server, eventId, error }, 'an event was refused by another server');
  }
}

async function settle(
  { database }: SendingContext,
  { id, proven }: Destination,
  outgoing: Outgoing,
): Promise<void> {
  const durable = isDurable(outgoing);
  if (proven && !durable) return;
  await database.transact(async (tx) => {
    if (durable) await deleteParts(tx, id, outgoing);
    if (!proven) await updateSucceeded(tx, id);
  });
}

/**
 * Nothing is to be sent: one that is due to be tried again waits for something. If it was told meanwhile to catch up,
 * nobody else would see to that: it gets another turn.
 */
async function rest(
  { database }: SendingContext,
  { id, retryAt, catchingUp }: Destination,
): Promise<Outcome> {
  if (retryAt === 0) return { kind: 'idle' };
  const isCatchingUp = await database.transact(async (tx) => {
    await updateRetryAt(tx, id, 0);
    return selectIsCatchingUp(tx, id);
  });
  return { kind: isCatchingUp && !catchingUp ? 'sent' : 'idle' };
}
