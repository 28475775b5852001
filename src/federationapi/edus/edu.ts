// An EDU on its way in, and the checks that all kinds share.

import { MatrixError } from '../../protocol/error.ts';
import {
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { FederationapiContext } from '../context.ts';

export interface ReceivedEdu {
  /** Verified. */
  readonly origin: ServerName;
  readonly content: JsonObject;
}

/** Throws MatrixError where the EDU is to be ignored; whatever else it throws makes the server send it again. */
export type EduHandler = (context: FederationapiContext, edu: ReceivedEdu) => Promise<void>;

/** Throws M_FORBIDDEN unless it is a user of the server. */
export function checkedUserOf(origin: ServerName, userId: unknown): UserId {
  if (!isUserOf(origin, userId)) {
    throw new MatrixError('M_FORBIDDEN', 'The EDU speaks for a user of another server');
  }
  return userId;
}

export function isUserOf(server: ServerName, userId: unknown): userId is UserId {
  return isUserId(userId) && serverNameOf(userId) === server;
}
