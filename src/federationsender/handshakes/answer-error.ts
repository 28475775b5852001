// What is said to who asked for a handshake when another server has refused it or could not be had.

import { FederationError } from '../../federation/federation-error.ts';
import { limitError } from '../../federation/limit-error.ts';
import { isErrcode } from '../../http/error-response.ts';
import { type Errcode, MatrixError } from '../../protocol/error.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Those that tell the user, or what is tried next, something; all others are the servers' own affair. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'M_FORBIDDEN',
  'M_NOT_FOUND',
  'M_INCOMPATIBLE_ROOM_VERSION',
  'M_UNABLE_TO_AUTHORISE_JOIN',
  'M_UNABLE_TO_GRANT_JOIN',
] satisfies Errcode[]);

const MAX_TEXT = 500;

/** The server has answered, but with something that is of no use. */
export class MalformedAnswer extends Error {}

/** Undefined where the server has said nothing that could be passed on. */
export function passedOn(error: unknown): MatrixError | undefined {
  if (error instanceof MatrixError) return error;
  if (!(error instanceof FederationError) || error.kind !== 'refused') return undefined;
  const { errcode, status, answer = {} } = error;
  if (errcode === undefined || !(PASSED_ON.has(errcode) || isUnknownHere(error)))
    return byStatus(status);
  const version = errcode === 'M_INCOMPATIBLE_ROOM_VERSION' ? answer.room_version : undefined;
  return new MatrixError(
    errcode as Errcode,
    textOf(answer),
    typeof version === 'string' ? { room_version: version.slice(0, MAX_TEXT) } : {},
  );
}

/** As `passedOn`, and what is known of it where that is nothing. Answered with 502 by the routes that ask. */
export function answerError(error: unknown): MatrixError {
  return passedOn(error) ?? limitError(error) ?? notReached();
}

export function notReached(): MatrixError {
  return new MatrixError('M_UNKNOWN', 'The other server could not be reached or did not answer');
}

/**
 * Server-Server API, "GET /make_join": what is wrong with a request "should be passed through to clients", but for what they
 * would take for this server's word on their own request.
 */
function isUnknownHere({ status, errcode = '' }: FederationError): boolean {
  return status === 400 && /^[A-Z][A-Z0-9_.]{0,99}$/.test(errcode) && !isErrcode(errcode);
}

/** Such as M_INVITE_BLOCKED or M_UNSUPPORTED_ROOM_VERSION: the status says enough. */
function byStatus(status: number | undefined): MatrixError | undefined {
  if (status !== 403) return undefined;
  return new MatrixError('M_FORBIDDEN', 'The other server does not allow it');
}

function textOf(answer: JsonObject): string {
  const { error } = answer;
  if (typeof error !== 'string') return 'The other server refuses';
  return error.slice(0, MAX_TEXT).toWellFormed().replaceAll('\0', ' ');
}

/** The other server does not know the endpoint: an older one is tried. */
export function isUnrecognized(error: unknown): boolean {
  if (!(error instanceof FederationError) || error.kind !== 'refused') return false;
  const { status, errcode } = error;
  if (errcode === 'M_UNRECOGNIZED') return status === 400 || status === 404 || status === 405;
  return errcode === undefined && (status === 404 || status === 405);
}
