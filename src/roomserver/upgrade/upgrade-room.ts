// performUpgradeRoom: a room is replaced by one of another version (Client-Server API, "POST /upgrade"). Nothing is changed
// in the old room before the new one is there. A crash in between leaves a room that nothing leads to.

import { MatrixError } from '../../protocol/error.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { randomRoomId } from '../../protocol/opaque-ids.ts';
import { isRoomVersion, rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isJoined } from '../membership/is-joined.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { buildLocalEvent } from '../send/append-local-event.ts';
import { selectIsPublished } from '../store/published.ts';
import { followUpgrade } from './follow-upgrade.ts';
import { readOldRoom } from './old-room.ts';
import { foundReplacement } from './replacement.ts';
import { buryRoom, tombstoneOf } from './tombstone.ts';

type UpgradeApi = Pick<RoomserverApi, 'performUpgradeRoom' | 'performFollowUpgrade'>;
type UpgradeRequest = Parameters<UpgradeApi['performUpgradeRoom']>[0];

export function createUpgradeApi(context: RoomserverContext): UpgradeApi {
  const running = new Map<string, ReturnType<UpgradeApi['performUpgradeRoom']>>();
  return {
    performUpgradeRoom: (request) => {
      // Who asks twice at once, as clients do that have waited long, gets one room.
      const key = JSON.stringify([request.roomId, request.userId, request.newVersion]);
      const upgrade = running.get(key) ?? upgradeRoom(context, request);
      running.set(key, upgrade);
      return upgrade.finally(() => running.delete(key));
    },
    performFollowUpgrade: (request) => followUpgrade(context, request),
  };
}

async function upgradeRoom(
  context: RoomserverContext,
  request: UpgradeRequest,
): ReturnType<UpgradeApi['performUpgradeRoom']> {
  const { roomId, userId: creator, newVersion: roomVersion, profile } = request;
  if (!isRoomVersion(roomVersion)) {
    throw new MatrixError('M_UNSUPPORTED_ROOM_VERSION', 'This server does not know that version');
  }
  const isIdOfContent = rulesOf(roomVersion).roomIdIsCreateEventId;
  const foretoldId = isIdOfContent ? undefined : randomRoomId(context.serverName);
  const { head, tombstone } = await prepare(context, request, foretoldId);
  const founded = await foundReplacement(context, {
    ...{ creator, profile, roomVersion, additionalCreators: request.additionalCreators },
    old: await readOldRoom(context, head),
    isPublished: await selectIsPublished(context.database, roomId),
    foretold: foretoldId && { roomId: foretoldId, tombstoneId: tombstone.eventId },
  });
  const built = foretoldId && tombstone;
  const end = { sender: creator, replacement: founded.roomId, built };
  const { position } = await context.rooms.change(roomId, (room) => buryRoom(context, room, end));
  return { replacementRoom: founded.roomId, position: Math.max(position, founded.position) };
}

/** The room as it is, and the tombstone that the user may send there. Changes nothing. */
async function prepare(
  context: RoomserverContext,
  { roomId, userId }: UpgradeRequest,
  replacement: RoomId | undefined,
): Promise<{ head: RoomHead; tombstone: Pdu }> {
  const { value } = await context.rooms.change(roomId, async (room) => {
    if (!(await isJoined(room, userId))) {
      throw new MatrixError('M_FORBIDDEN', 'You are not in the room');
    }
    const { head } = room;
    // Where the new room's id is not known yet, this one is built only to see whether it is allowed.
    const event = tombstoneOf(userId, replacement ?? roomId);
    return { head, tombstone: (await buildLocalEvent(context, room, event)).pdu };
  });
  return value;
}
