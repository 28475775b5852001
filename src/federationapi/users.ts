// Whose users are spoken of.

import { MatrixError } from '../protocol/error.ts';
import { type ServerName, serverNameOf, type UserId } from '../protocol/identifiers.ts';

/** Throws M_FORBIDDEN: servers act for their own users alone. */
export function checkIsUserOf(origin: ServerName, userId: UserId): void {
  if (serverNameOf(userId) !== origin) {
    throw new MatrixError('M_FORBIDDEN', 'The user is of another server');
  }
}

/** Throws M_INVALID_PARAM: we answer for our own users alone. */
export function checkIsOurs(serverName: ServerName, userId: UserId): void {
  if (serverNameOf(userId) !== serverName) {
    throw new MatrixError('M_INVALID_PARAM', 'The user is of another server');
  }
}
