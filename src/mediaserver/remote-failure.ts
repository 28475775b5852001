// What is said to who asked for media of another server that cannot be had.

import { FederationError } from '../federation/federation-error.ts';
import { AnswerTooLargeError } from '../federation/http-exchange.ts';
import { GatewayError, MatrixError } from '../protocol/error.ts';

/** Whatever is no FederationError stays what it is. */
export function remoteFailure(error: unknown): unknown {
  if (!(error instanceof FederationError)) return error;
  const { status, errcode, cause, retryAfterMs } = error;
  if (status === 404) return new MatrixError('M_NOT_FOUND', 'There is no such media');
  if (errcode === 'M_NOT_YET_UPLOADED') {
    return new MatrixError('M_NOT_YET_UPLOADED', 'Media has not been uploaded yet');
  }
  if (errcode === 'M_LIMIT_EXCEEDED') {
    const extra = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
    return new MatrixError('M_LIMIT_EXCEEDED', 'The other server has too much to do', extra);
  }
  if (errcode === 'M_TOO_LARGE' || cause instanceof AnswerTooLargeError) {
    return new GatewayError('M_TOO_LARGE', 'The media of the other server is too large');
  }
  return new GatewayError('M_UNKNOWN', 'The other server does not give the media');
}
