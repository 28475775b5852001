// Who wants to sign in or prove herself (Client-Server API, "Identifier types").

import type { Static } from 'typebox';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';
import {
  isUserId,
  localpartOf,
  parseUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../protocol/identifiers.ts';

export const userIdentifier = Type.Object({
  type: Type.String(),
  user: Type.Optional(Type.String()),
});

export const identifierProperties = {
  identifier: Type.Optional(userIdentifier),
  /** Deprecated in favour of `identifier`. */
  user: Type.Optional(Type.String()),
};

interface Identified {
  readonly identifier?: Static<typeof userIdentifier>;
  readonly user?: string;
}

/**
 * A whole user id or a localpart. Third-party identifiers are known to nobody here, which is M_FORBIDDEN
 * as for any unknown user; errors besides: M_MISSING_PARAM.
 */
export function identifiedUser(body: Identified, serverName: ServerName): UserId {
  const { identifier, user = identifier?.user } = body;
  if (identifier !== undefined && identifier.type !== 'm.id.user') throw unknownUser();
  if (user === undefined) throw new MatrixError('M_MISSING_PARAM', 'There is no user identifier');
  return localUser(user, serverName);
}

function localUser(user: string, serverName: ServerName): UserId {
  const isWhole = user.startsWith('@') && user.includes(':');
  const id = isWhole ? user : `@${user}:${serverName}`;
  if (!isUserId(id) || serverNameOf(id) !== serverName) throw unknownUser();
  // User names are registered in lower case, however they are typed.
  const localpart = localpartOf(id).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return parseUserId(`@${localpart}:${serverName}`);
}

function unknownUser(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'Invalid username or password');
}
