// Identifiers in request bodies, for their schemas. The schema says which they are to readers and to generated
// tests; they are checked where they are parsed, as M_INVALID_PARAM and not M_BAD_JSON.

import { Type } from '../json-schema.ts';

type Identifier = 'user-id' | 'room-id' | 'event-id' | 'server-name' | 'device-id';

export function identifierText(identifier: Identifier) {
  return Type.String({ 'x-format': `mx-${identifier}` });
}
