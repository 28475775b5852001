// Looking into a room without joining it (MSC2753). The check and the log entry are one piece of work under the room's
// lock: what ends visibility is either refused by or comes after it in the log. A room in which nobody of this server is
// has to be watched through another one first.

import { GatewayError, MatrixError } from '../../protocol/error.ts';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isHere, isReadable } from '../membership/is-here.ts';
import { isJoined } from '../membership/is-joined.ts';
import { locateRoom } from '../resolve-room.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';

export function createPeekingApi(
  context: RoomserverContext,
): Pick<RoomserverApi, 'performPeek' | 'performUnpeek'> {
  return {
    performPeek: (request) => peek(context, request),
    performUnpeek: (request) => unpeek(context, request),
  };
}

type PeekRequest = Parameters<RoomserverApi['performPeek']>[0];
type UnpeekRequest = Parameters<RoomserverApi['performUnpeek']>[0];

/** Of a peek by initialSync and /events, in ms: each poll renews it, and the longest takes half of this. */
const SHORT_PEEK_MS = 600_000;

async function peek(
  context: RoomserverContext,
  request: PeekRequest,
): Promise<Written & { roomId: RoomId; expiryTs: number }> {
  const { rooms, outboundPeeks } = context;
  const { roomId, servers } = await locateRoom(context, request.roomIdOrAlias);
  const lookNow = () => look(context, roomId, request);
  if (isHere(await rooms.head(roomId))) return found(await lookNow());
  const hints = [...request.serverNames, ...servers];
  try {
    return found(await outboundPeeks.whileWatched(roomId, hints, lookNow));
  } catch (error) {
    if (request.isRenewal !== true || !isOutOfReach(error)) throw error;
    return found(await lookNow());
  }
}

function found<T>(looked: T | undefined): T {
  if (looked === undefined) throw new MatrixError('M_NOT_FOUND', 'No such room');
  return looked;
}

function isOutOfReach(error: unknown): boolean {
  if (error instanceof GatewayError) return true;
  return error instanceof MatrixError && error.errcode === 'M_NOT_FOUND';
}

/** Undefined where nobody keeps us informed of the room. */
async function look(
  context: RoomserverContext,
  roomId: RoomId,
  { userId, deviceId, via }: PeekRequest,
): Promise<(Written & { roomId: RoomId; expiryTs: number }) | undefined> {
  const { lifetimeMs } = context.config.peeking;
  const { value: expiryTs, position } = await context.rooms.change(roomId, async (room) => {
    if (!isReadable(context, room.head)) return undefined;
    if (via === 'sync') await checkNotJoined(room, userId);
    checkPeekable(room);
    const lifetime = via === 'sync' ? lifetimeMs : Math.min(lifetimeMs, SHORT_PEEK_MS);
    const expiry = context.clock.now() + lifetime;
    const { currentState } = room.head;
    room.log({ kind: 'NewPeek', userId, deviceId, via, expiryTs: expiry, currentState });
    return expiry;
  });
  return expiryTs === undefined ? undefined : { roomId, expiryTs, position };
}

async function checkNotJoined(room: RoomDraft, userId: UserId): Promise<void> {
  if (!(await isJoined(room, userId))) return;
  throw new MatrixError('M_BAD_STATE', 'You have joined this room');
}

function checkPeekable({ head }: RoomDraft): void {
  if (!isWorldReadable(head.visibility)) {
    throw new MatrixError('M_FORBIDDEN', 'The room is not open to everybody');
  }
  if (head.encrypted) throw new MatrixError('M_FORBIDDEN', 'The room is encrypted');
}

async function unpeek(
  { rooms }: RoomserverContext,
  { roomId, ...device }: UnpeekRequest,
): Promise<Written> {
  const { userId, deviceId, via } = device;
  const { position } = await rooms.change(roomId, async (room) => {
    room.log({ kind: 'RetirePeek', userId, deviceId, via });
  });
  return { position };
}
