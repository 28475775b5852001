// m.room.canonical_alias without an alias that is gone.

import type { RoomAlias } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';

/** Undefined when the alias is not in it. Everything else in the content stays. */
export function withoutAlias(content: JsonObject, gone: RoomAlias): JsonObject | undefined {
  const { alias, alt_aliases: alternatives, ...rest } = content;
  const others = Array.isArray(alternatives) ? alternatives.filter((other) => other !== gone) : [];
  const isListed = Array.isArray(alternatives) && others.length < alternatives.length;
  if (alias !== gone && !isListed) return undefined;
  return {
    ...rest,
    ...(alias !== gone && alias !== undefined && { alias }),
    ...(others.length > 0 && { alt_aliases: others }),
  };
}
