// What was thrown on the way through a request → the MatrixError that the client is told.

import type { Logger } from '../logger.ts';
import { MatrixError } from '../protocol/error.ts';

export interface FailedRequest {
  readonly requestId: string;
  readonly method: string;
  /** The route's pattern: the path itself may hold a token. */
  readonly route: string | undefined;
  /** The client is gone or the server is closing: an interrupted handler is no fault. */
  readonly isAborted: boolean;
}

/** Whatever nobody foresaw is logged here, once, and told without detail. */
export function toMatrixError(error: unknown, request: FailedRequest, logger: Logger): MatrixError {
  if (error instanceof MatrixError) return error;
  const code = codeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new MatrixError('M_TOO_LARGE', 'The body is too large');
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new MatrixError('M_INVALID_PARAM', 'The path is malformed');
  }
  if (code.startsWith('FST_ERR_CTP_')) {
    return new MatrixError('M_NOT_JSON', 'The body could not be read');
  }
  const wasInterrupted = code === 'ECONNRESET' || isAbortError(error);
  if (!(request.isAborted && wasInterrupted)) {
    const { requestId, method, route } = request;
    logger.error({ requestId, method, route, err: error }, 'a request failed unexpectedly');
  }
  return new MatrixError('M_UNKNOWN', 'Internal server error');
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
