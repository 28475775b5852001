// What is said here of a look that no server has let us take.

import type { FederationError } from '../../federation/federation-error.ts';
import { type Errcode, GatewayError, MatrixError } from '../../protocol/error.ts';

/** What other servers may say in our place. */
const PASSED_ON: readonly Errcode[] = [
  'M_FORBIDDEN',
  'M_INCOMPATIBLE_ROOM_VERSION',
  'M_LIMIT_EXCEEDED',
  'M_NOT_FOUND',
];

/** `failures`: in the order in which they came. The last that says why is the one that counts. */
export function refusal(failures: readonly FederationError[]): MatrixError {
  const isPassedOn = ({ errcode }: FederationError) => PASSED_ON.some((one) => one === errcode);
  const failure = failures.findLast(isPassedOn) ?? failures.at(-1);
  if (failure === undefined) {
    return new MatrixError('M_NOT_FOUND', 'No server is known that has this room');
  }
  const { destination, retryAfterMs } = failure;
  const errcode = PASSED_ON.find((one) => one === failure.errcode);
  if (errcode === undefined) {
    return new GatewayError('M_UNKNOWN', `The room cannot be had from ${destination}`);
  }
  const extra = errcode === 'M_LIMIT_EXCEEDED' ? { retry_after_ms: retryAfterMs ?? 5_000 } : {};
  return new MatrixError(errcode, `${destination} does not show this room`, extra);
}
