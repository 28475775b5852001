// Who created a room. Versions differ in where m.room.create says so.

import type { Pdu } from '../events/pdu.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';

/** The user whom m.room.create names as its creator; `undefined` when it names none. */
export function roomCreator(create: Pdu, rules: RoomVersionRules): string | undefined {
  if (rules.implicitCreator) return create.sender;
  const { creator } = create.content;
  return typeof creator === 'string' ? creator : undefined;
}

/** The creator and, where the version has them, `additional_creators`. */
export function roomCreators(create: Pdu, rules: RoomVersionRules): readonly string[] {
  const creator = roomCreator(create, rules);
  const additional = create.content.additional_creators;
  const others =
    rules.privilegedCreators && Array.isArray(additional)
      ? additional.filter((userId): userId is string => typeof userId === 'string')
      : [];
  return creator === undefined ? others : [creator, ...others];
}
