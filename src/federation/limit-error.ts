// What is said to who asked for something that another server has to answer, when that server limits requests.

import { MatrixError } from '../protocol/error.ts';
import { FederationError } from './federation-error.ts';

/** M_LIMIT_EXCEEDED with the other server's `retry_after_ms`; undefined for every other error. */
export function limitError(error: unknown): MatrixError | undefined {
  if (!(error instanceof FederationError)) return undefined;
  const { status, errcode, retryAfterMs } = error;
  if (status !== 429 && errcode !== 'M_LIMIT_EXCEEDED') return undefined;
  const extra = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
  return new MatrixError('M_LIMIT_EXCEEDED', 'The other server has too much to do', extra);
}
