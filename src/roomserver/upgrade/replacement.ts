// The room that replaces another, with all that is taken over: at once or not at all.

import { setImmediate } from 'node:timers/promises';
import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { foundRoom } from '../rooms/found-room.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { insertPublished } from '../store/published.ts';
import type { CopiedEvent, OldRoom } from './old-room.ts';
import { transferredPowerLevels } from './transferred-power-levels.ts';

/** Each is signed: others get their turn of the event loop in between. */
const EVENTS_PER_TURN = 50;

export interface Replacement {
  readonly old: OldRoom;
  readonly creator: UserId;
  /** displayname and avatar_url of the creator. */
  readonly profile: JsonObject;
  readonly roomVersion: RoomVersionId;
  readonly additionalCreators: readonly UserId[];
  readonly isPublished: boolean;
  /** Where the room's id is not made of its create event: what it will be, and the tombstone that names it. */
  readonly foretold: { readonly roomId: RoomId; readonly tombstoneId: EventId } | undefined;
}

/** Errors: M_INVALID_ROOM_STATE where the new version does not allow what the old room has. */
export async function foundReplacement(
  context: RoomserverContext,
  replacement: Replacement,
): Promise<Written & { roomId: RoomId }> {
  const { creator, roomVersion, isPublished, foretold } = replacement;
  const content = createContent(replacement);
  const founding = { creator, roomVersion, content, ...(foretold && { roomId: foretold.roomId }) };
  const events = eventsOf(replacement);
  try {
    const { value: roomId, position } = await foundRoom(context, founding, async (room) => {
      for (const [index, event] of events.entries()) {
        if (index % EVENTS_PER_TURN === EVENTS_PER_TURN - 1) await setImmediate();
        await appendLocalEvent(context, room, { ...event, sender: creator });
      }
      if (isPublished) room.alsoWrite((tx) => insertPublished(tx, room.roomId));
      return room.roomId;
    });
    return { roomId, position };
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== 'M_FORBIDDEN') throw error;
    throw new MatrixError('M_INVALID_ROOM_STATE', error.message);
  }
}

function createContent(replacement: Replacement): JsonObject {
  const { old, creator, roomVersion, additionalCreators, foretold } = replacement;
  const rules = rulesOf(roomVersion);
  return {
    ...(old.roomType !== undefined && { type: old.roomType }),
    ...(!old.federate && { 'm.federate': false }),
    ...(!rules.implicitCreator && { creator }),
    ...(rules.privilegedCreators &&
      additionalCreators.length > 0 && { additional_creators: [...additionalCreators] }),
    room_version: roomVersion,
    predecessor: {
      room_id: old.roomId,
      ...(foretold !== undefined && { event_id: foretold.tombstoneId }),
    },
  };
}

function eventsOf(replacement: Replacement): readonly CopiedEvent[] {
  const { old, creator, profile, roomVersion, additionalCreators } = replacement;
  const copied = old.copied.filter(({ stateKey }) => stateKey !== creator);
  const { first, last } = transferredPowerLevels({
    old: { content: old.powerLevels, rules: old.rules, creators: old.creators },
    rules: rulesOf(roomVersion),
    creator,
    additionalCreators,
    types: copied.map(({ type }) => type),
  });
  const levels = (content: JsonObject) => ({ type: 'm.room.power_levels', stateKey: '', content });
  const joined = { ...profile, membership: 'join' };
  return [
    { type: 'm.room.member', stateKey: creator, content: joined },
    levels(first),
    ...copied,
    ...(last === undefined ? [] : [levels(last)]),
  ];
}
