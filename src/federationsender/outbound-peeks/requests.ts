// The requests of a peeking server (MSC2444), in the words that the other side understands.

import type { FederationClient } from '../../federation/api.ts';
import { federationPath } from '../../federation/federation-path.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { OutboundPeekKey } from '../peek-api.ts';
import type { PeekDialect } from '../store/outbound-peeks.ts';

/** An answer holds the whole state of a room, with auth chains. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const PUT_TIMEOUT_MS = 60_000;
const SHORT_TIMEOUT_MS = 20_000;

/**
 * With DELETE: one dialect takes that for a PUT, whose repeated id it does not survive, unless it refuses the version.
 * It is told apart by its answer, which may not have come.
 */
const NO_VERSION = 'none';

type Client = Pick<FederationClient, 'request'>;

function pathOf({ roomId, peekId }: OutboundPeekKey): string {
  return federationPath`/_matrix/federation/v1/peek/${roomId}/${peekId}`;
}

export function putPeek(
  client: Client,
  peek: OutboundPeekKey,
  { roomVersions, signal }: { roomVersions: readonly string[]; signal?: AbortSignal },
): Promise<JsonObject> {
  return client.request({
    destination: peek.server,
    method: 'PUT',
    path: pathOf(peek),
    query: { ver: roomVersions },
    body: {},
    timeoutMs: PUT_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
    ...(signal && { signal }),
  });
}

export function postRenew(client: Client, peek: OutboundPeekKey): Promise<JsonObject> {
  return client.request({
    destination: peek.server,
    method: 'POST',
    path: `${pathOf(peek)}/renew`,
    body: {},
    timeoutMs: SHORT_TIMEOUT_MS,
  });
}

export function deletePeek(client: Client, peek: OutboundPeekKey): Promise<JsonObject> {
  return client.request({
    destination: peek.server,
    method: 'DELETE',
    path: pathOf(peek),
    query: { ver: NO_VERSION },
    timeoutMs: SHORT_TIMEOUT_MS,
  });
}

/** Told from the shape of the answer to PUT. */
export function dialectOf(answer: JsonObject): PeekDialect {
  if (answer.latest_event_state_ids !== undefined) return 'msc2444';
  return answer.messages === undefined ? 'dendrite' : 'palpo';
}
