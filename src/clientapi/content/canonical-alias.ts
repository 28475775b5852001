// m.room.canonical_alias: aliases that it newly lists must be well-formed and lead to the room
// (Client-Server API, "PUT /rooms/{roomId}/state/{eventType}/{stateKey}").

import { MatrixError } from '../../protocol/error.ts';
import { parseRoomAlias, type RoomAlias, type RoomId } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { RoomserverApi } from '../../roomserver/api.ts';

interface Aliases {
  readonly roomserver: Pick<RoomserverApi, 'queryAlias' | 'queryStateEvents'>;
}

/** Throws M_INVALID_PARAM, M_BAD_ALIAS. */
export async function checkCanonicalAlias(
  context: Aliases,
  { roomId, content }: { readonly roomId: RoomId; readonly content: JsonObject },
): Promise<void> {
  const wanted = aliasesOf(content);
  if (wanted.length === 0) return;
  const present = new Set(aliasesOf(await currentContent(context, roomId)));
  for (const alias of wanted) {
    if (!present.has(alias)) await checkLeadsTo(context, roomId, parseRoomAlias(alias));
  }
}

function aliasesOf({ alias, alt_aliases }: JsonObject): readonly JsonValue[] {
  const alternatives = Array.isArray(alt_aliases) ? alt_aliases : nothing(alt_aliases);
  return [...nothing(alias), ...alternatives];
}

/** Null and absent list nothing; clients remove an alias by either, or by an empty text. */
function nothing(value: JsonValue | undefined): readonly JsonValue[] {
  return value === undefined || value === null || value === '' ? [] : [value];
}

async function currentContent({ roomserver }: Aliases, roomId: RoomId): Promise<JsonObject> {
  const keys = [{ type: 'm.room.canonical_alias', stateKey: '' }];
  const [event] = await roomserver.queryStateEvents({ roomId, keys });
  const content = event?.json.content;
  return isJsonObject(content) ? content : {};
}

async function checkLeadsTo(
  { roomserver }: Aliases,
  roomId: RoomId,
  alias: RoomAlias,
): Promise<void> {
  const target = await roomserver.queryAlias({ alias }).catch((error: unknown) => {
    if (error instanceof MatrixError && error.errcode === 'M_NOT_FOUND') return undefined;
    throw error;
  });
  if (target?.roomId !== roomId) {
    throw new MatrixError('M_BAD_ALIAS', `The alias ${alias} does not lead to this room`);
  }
}
