// The one error type of the project: a Matrix errcode with a message for people.
// It knows no HTTP status; http/error-response.ts maps errcode → status.

/** Errcodes of the specification (Client-Server API, "Standard error response") that Keyhole answers with. */
export type Errcode =
  | 'M_BAD_ALIAS'
  | 'M_BAD_JSON'
  | 'M_BAD_STATE'
  | 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM'
  | 'M_CANNOT_OVERWRITE_MEDIA'
  | 'M_CAPTCHA_INVALID'
  | 'M_CAPTCHA_NEEDED'
  | 'M_DUPLICATE_ANNOTATION'
  | 'M_EXCLUSIVE'
  | 'M_FORBIDDEN'
  | 'M_GUEST_ACCESS_FORBIDDEN'
  | 'M_INCOMPATIBLE_ROOM_VERSION'
  | 'M_INVALID_PARAM'
  | 'M_INVALID_ROOM_STATE'
  | 'M_INVALID_SIGNATURE'
  | 'M_INVALID_USERNAME'
  | 'M_KEY_TOO_LARGE'
  | 'M_LIMIT_EXCEEDED'
  | 'M_MISSING_PARAM'
  | 'M_MISSING_TOKEN'
  | 'M_NOT_FOUND'
  | 'M_NOT_JSON'
  | 'M_NOT_YET_UPLOADED'
  | 'M_PROFILE_TOO_LARGE'
  | 'M_ROOM_IN_USE'
  | 'M_SERVER_NOT_TRUSTED'
  | 'M_THREEPID_DENIED'
  | 'M_THREEPID_IN_USE'
  | 'M_THREEPID_NOT_FOUND'
  | 'M_TOO_LARGE'
  | 'M_UNABLE_TO_AUTHORISE_JOIN'
  | 'M_UNABLE_TO_GRANT_JOIN'
  | 'M_UNAUTHORIZED'
  | 'M_UNKNOWN'
  | 'M_UNKNOWN_POS'
  | 'M_UNKNOWN_TOKEN'
  | 'M_UNRECOGNIZED'
  | 'M_UNSUPPORTED_ROOM_VERSION'
  | 'M_USER_DEACTIVATED'
  | 'M_USER_IN_USE'
  | 'M_USER_LOCKED'
  | 'M_USER_SUSPENDED'
  | 'M_WEAK_PASSWORD'
  | 'M_WRONG_ROOM_KEYS_VERSION';

export class MatrixError extends Error {
  readonly errcode: Errcode;
  /** Further keys of the response body, such as `retry_after_ms` (ms) or `soft_logout`. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(errcode: Errcode, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'MatrixError';
    this.errcode = errcode;
    this.extra = extra;
  }
}

/** Another server is to blame: whoever asked is told so by the status of a gateway. */
export class GatewayError extends MatrixError {}
