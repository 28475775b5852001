// Makes a new room: its m.room.create event first, since in room version 12 the room's id is made of it.

import { authorizeAgainstState } from '../../protocol/auth/authorize.ts';
import { MatrixError } from '../../protocol/error.ts';
import { buildPdu } from '../../protocol/events/build.ts';
import type { Pdu } from '../../protocol/events/pdu.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { randomRoomId } from '../../protocol/opaque-ids.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { EMPTY_STATE } from '../state/snapshot.ts';
import { extendRoom } from './extend-room.ts';
import type { Committed, RoomWork } from './rooms.ts';

type Context = Pick<RoomserverContext, 'clock' | 'serverName' | 'signingKey' | 'rooms'>;

export interface Founding {
  readonly creator: UserId;
  readonly roomVersion: RoomVersionId;
  /** Of m.room.create, with `room_version` (and `creator`, where the room version wants it). */
  readonly content: JsonObject;
  /** Absent: one that nobody has. Not for room versions that make it of m.room.create. */
  readonly roomId?: RoomId;
  /** ms since the epoch; absent: now. */
  readonly originServerTs?: number | undefined;
}

/**
 * `work` begins with a room that holds m.room.create alone; all of it is committed at once, or nothing.
 * Errors: M_BAD_JSON, M_FORBIDDEN with the rule, and those of `work`.
 */
export function foundRoom<T>(
  context: Context,
  founding: Founding,
  work: RoomWork<T>,
): Promise<Committed<T>> {
  const { creator, roomVersion } = founding;
  const create = buildCreate(context, founding);
  const { serverName } = context;
  return context.rooms.create({ roomId: create.roomId, roomVersion, creator }, async (room) => {
    const extension = { pdu: create, stateBefore: EMPTY_STATE, serverName, sendAs: serverName };
    await extendRoom(room, extension);
    return work(room);
  });
}

function buildCreate(
  { clock, serverName, signingKey }: Context,
  { creator, roomVersion, content, roomId, originServerTs }: Founding,
): Pdu {
  const rules = rulesOf(roomVersion);
  const create = buildPdu({
    rules,
    roomId: rules.roomIdIsCreateEventId ? undefined : (roomId ?? randomRoomId(serverName)),
    sender: creator,
    type: 'm.room.create',
    stateKey: '',
    content,
    prevEvents: [],
    authEvents: [],
    depth: 1,
    originServerTs: originServerTs ?? clock.now(),
    serverName,
    signingKey,
  });
  const verdict = authorizeAgainstState(create, () => undefined, {
    rules,
    isSignedBy: (server) => server === serverName,
  });
  if (verdict.allowed) return create;
  throw new MatrixError('M_FORBIDDEN', `Rule ${verdict.rule}: ${verdict.reason}`);
}
