// m.room.canonical_alias: the aliases that a client adds have to point to the room (Client-Server API,
// "PUT /rooms/{roomId}/state/{eventType}/{stateKey}").

import { MatrixError } from '../../protocol/error.ts';
import { isRoomAlias, type RoomAlias } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { SendEventRequest } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { selectAlias } from '../store/aliases.ts';

/** Throws M_INVALID_PARAM for what is no alias, M_BAD_ALIAS for one that does not point here. */
export async function checkCanonicalAlias(
  { database }: Pick<RoomserverContext, 'database'>,
  room: RoomDraft,
  request: SendEventRequest,
): Promise<void> {
  if (request.stateKey !== '') return;
  const inForce = await room.currentEvent('m.room.canonical_alias', '');
  const known = new Set(aliasesIn(inForce?.pdu.content ?? {}));
  for (const alias of aliasesIn(request.content)) {
    if (!isRoomAlias(alias)) throw new MatrixError('M_INVALID_PARAM', 'Not a valid room alias');
    if (known.has(alias)) continue;
    const stored = await selectAlias(database, alias as RoomAlias);
    if (stored?.room_id === room.roomId) continue;
    throw new MatrixError('M_BAD_ALIAS', `The alias ${alias} does not point to this room`);
  }
}

/** An alias that is absent, null or empty is none. */
function aliasesIn({ alias, alt_aliases: altAliases }: JsonObject): unknown[] {
  const others = Array.isArray(altAliases) ? altAliases : [];
  return alias === undefined || alias === null || alias === '' ? others : [alias, ...others];
}
