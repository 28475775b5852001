// MatrixError → HTTP: the table errcode → status, and the standard error response
// (Client-Server API, "Standard error response").

import { type Errcode, GatewayError, type MatrixError } from '../protocol/error.ts';

/** The status each errcode has where the endpoint's specification names no other. */
export const STATUS_OF_ERRCODE: Readonly<Record<Errcode, number>> = {
  M_BAD_ALIAS: 400,
  M_BAD_JSON: 400,
  M_BAD_STATE: 400,
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: 403,
  M_CANNOT_OVERWRITE_MEDIA: 409,
  M_CAPTCHA_INVALID: 401,
  M_CAPTCHA_NEEDED: 401,
  M_DUPLICATE_ANNOTATION: 400,
  M_EXCLUSIVE: 400,
  M_FORBIDDEN: 403,
  M_GUEST_ACCESS_FORBIDDEN: 403,
  M_INCOMPATIBLE_ROOM_VERSION: 400,
  M_INVALID_PARAM: 400,
  M_INVALID_ROOM_STATE: 400,
  M_INVALID_SIGNATURE: 400,
  M_INVALID_USERNAME: 400,
  M_KEY_TOO_LARGE: 400,
  M_LIMIT_EXCEEDED: 429,
  M_MISSING_PARAM: 400,
  M_MISSING_TOKEN: 401,
  M_NOT_FOUND: 404,
  M_NOT_JSON: 400,
  M_NOT_YET_UPLOADED: 504,
  M_PROFILE_TOO_LARGE: 400,
  M_ROOM_IN_USE: 400,
  M_SERVER_NOT_TRUSTED: 401,
  M_THREEPID_DENIED: 403,
  M_THREEPID_IN_USE: 400,
  M_THREEPID_NOT_FOUND: 400,
  M_TOO_LARGE: 413,
  M_UNABLE_TO_AUTHORISE_JOIN: 400,
  M_UNABLE_TO_GRANT_JOIN: 400,
  M_UNAUTHORIZED: 401,
  M_UNKNOWN: 500,
  M_UNKNOWN_POS: 400,
  M_UNKNOWN_TOKEN: 401,
  M_UNRECOGNIZED: 404,
  M_UNSUPPORTED_ROOM_VERSION: 400,
  M_USER_DEACTIVATED: 403,
  M_USER_IN_USE: 400,
  M_USER_LOCKED: 401,
  M_USER_SUSPENDED: 403,
  M_WEAK_PASSWORD: 400,
  M_WRONG_ROOM_KEYS_VERSION: 403,
};

const BAD_GATEWAY = 502;

/** Whether this server itself answers with it. */
export function isErrcode(text: string): text is Errcode {
  return Object.hasOwn(STATUS_OF_ERRCODE, text);
}

export type StatusOverrides = Readonly<Partial<Record<Errcode, number>>>;

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/** `overrides`: statuses of the route at hand. */
export function errorResponse(error: MatrixError, overrides: StatusOverrides = {}): ErrorResponse {
  const status = statusOf(error, overrides);
  const body = JSON.stringify({ ...error.extra, errcode: error.errcode, error: error.message });
  return { status, headers: retryHeaders(error), body };
}

function statusOf(error: MatrixError, overrides: StatusOverrides): number {
  const { errcode } = error;
  if (error instanceof GatewayError) return BAD_GATEWAY;
  // Another server's, passed on, be it called `constructor`: of a request that was wrong.
  if (!isErrcode(errcode)) return 400;
  return overrides[errcode] ?? STATUS_OF_ERRCODE[errcode];
}

function retryHeaders(error: MatrixError): Readonly<Record<string, string>> {
  const milliseconds = error.extra.retry_after_ms;
  if (error.errcode !== 'M_LIMIT_EXCEEDED' || typeof milliseconds !== 'number') return {};
  return {
    'retry-after': String(Math.ceil(milliseconds / 1000)),
    'access-control-expose-headers': 'Retry-After',
  };
}
