// Why a request to another server has failed.

import type { ServerName } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';

/**
 * `refused`: it answered with an error. `unreachable`: not found, not connected, too slow, broken off. `malformed`: what
 * it answered is too large or no JSON. `denied`: our own configuration forbids to connect to it.
 */
export type FederationFailure = 'refused' | 'unreachable' | 'malformed' | 'denied';

export class FederationError extends Error {
  readonly kind: FederationFailure;
  readonly destination: ServerName;
  /** Of the answer, where it is `refused`. */
  readonly status: number | undefined;
  /** Of the answer, as far as it is one: text of another server. */
  readonly errcode: string | undefined;
  /** ms, from `retry_after_ms` or Retry-After of the answer. */
  readonly retryAfterMs: number | undefined;
  /** The whole answer where it is `refused` and a JSON object: for further keys, such as `room_version`. */
  readonly answer: JsonObject | undefined;

  constructor(
    kind: FederationFailure,
    destination: ServerName,
    details: {
      readonly message: string;
      readonly status?: number;
      readonly errcode?: string;
      readonly retryAfterMs?: number;
      readonly answer?: JsonObject;
      readonly cause?: unknown;
    },
  ) {
    super(`${destination}: ${details.message}`, { cause: details.cause });
    this.name = 'FederationError';
    this.kind = kind;
    this.destination = destination;
    this.status = details.status;
    this.errcode = details.errcode;
    this.retryAfterMs = details.retryAfterMs;
    this.answer = details.answer;
  }
}
