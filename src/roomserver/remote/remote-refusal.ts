// What is said to who asked for something that another server has to answer, when it does not.

import { FederationError } from '../../federation/federation-error.ts';
import { limitError } from '../../federation/limit-error.ts';
import { type Errcode, GatewayError, MatrixError } from '../../protocol/error.ts';

/** By the errcode that another server says, which may be any text. */
const MESSAGES: ReadonlyMap<string | undefined, string> = new Map([
  ['M_FORBIDDEN', 'The other server does not allow it'],
  ['M_INVALID_PARAM', 'The other server does not understand it'],
]);

/** Whatever is no FederationError stays what it is. */
export function remoteRefusal(error: unknown): unknown {
  if (!(error instanceof FederationError)) return error;
  const limit = limitError(error);
  if (limit !== undefined) return limit;
  const { errcode } = error;
  const message = MESSAGES.get(errcode);
  return message === undefined
    ? new GatewayError('M_UNKNOWN', 'The other server could not be reached or did not answer')
    : new MatrixError(errcode as Errcode, message);
}
