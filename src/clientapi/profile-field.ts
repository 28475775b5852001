// Names of profile fields (Client-Server API, "Profiles").

import { type Parameter, parsed } from '../http/parameters.ts';
import type { Requester } from '../http/route.ts';
import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';

/** The userserver knows which names there can be. */
const PATTERN = String.raw`^(avatar_url|displayname|m\.tz|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+)$`;

export function profileField(): Parameter<string> {
  return parsed((raw) => raw, Type.String({ pattern: PATTERN }));
}

/** Throws M_GUEST_ACCESS_FORBIDDEN: guests may choose their display name and nothing else. */
export function checkMayChange(requester: Requester, field: string): void {
  if (requester.isGuest && field !== 'displayname') {
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests may only change their display name');
  }
}
