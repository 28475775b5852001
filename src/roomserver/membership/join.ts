// performJoin: a local user joins a room by its id or alias.

import { type Errcode, MatrixError } from '../../protocol/error.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { locateRoom } from '../resolve-room.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent, type LocalEvent } from '../send/append-local-event.ts';
import { selectJoinedHosts } from '../store/memberships.ts';
import { checkGuestsCanJoin } from './guests.ts';
import { isHere } from './is-here.ts';
import { authorisingUser } from './restricted-join.ts';

type JoinRequest = Parameters<RoomserverApi['performJoin']>[0];

const NEED_OTHERS: ReadonlySet<Errcode> = new Set([
  'M_UNABLE_TO_AUTHORISE_JOIN',
  'M_UNABLE_TO_GRANT_JOIN',
]);

export async function join(
  context: RoomserverContext,
  request: JoinRequest,
): Promise<Written & { roomId: RoomId }> {
  const { roomId, servers } = await locateRoom(context, request.roomIdOrAlias);
  const serverNames = [...request.serverNames, ...servers];
  const remote = { ...request, roomId, serverNames };
  const { remoteRooms } = context;
  if (!isHere(await context.rooms.head(roomId))) {
    return { roomId, ...(await remoteRooms.join(remote)) };
  }
  try {
    return { roomId, ...(await joinHere(context, { ...request, roomId })) };
  } catch (error) {
    if (!(await canOthersAllow(context, roomId, error))) throw error;
    return { roomId, ...(await remoteRooms.join({ ...remote, isRefusedHere: true })) };
  }
}

/** Whether a join that cannot be allowed here may be allowed by another server of the room. */
async function canOthersAllow(
  { database, serverName }: RoomserverContext,
  roomId: RoomId,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof MatrixError) || !NEED_OTHERS.has(error.errcode)) return false;
  return (await selectJoinedHosts(database, roomId, 2)).some((host) => host !== serverName);
}

/** Of a room in which we are. */
export async function joinHere(
  context: RoomserverContext,
  request: Pick<JoinRequest, 'userId' | 'isGuest' | 'content'> & { readonly roomId: RoomId },
): Promise<Written> {
  const { position } = await context.rooms.change(request.roomId, (room) =>
    appendJoin(context, room, request),
  );
  return { position };
}

type Joining = Pick<JoinRequest, 'userId' | 'isGuest' | 'content'>;

async function appendJoin(
  context: RoomserverContext,
  room: RoomDraft,
  request: Joining,
): Promise<void> {
  const { userId, isGuest = false } = request;
  const member = await room.currentEvent('m.room.member', userId);
  const event = await joinEvent(context, room, request);
  if (event === undefined) return;
  await appendLocalEvent(context, room, event);
  // Those who have been here before may have been guests then.
  if (isGuest || member !== undefined) room.changes.guests.set(userId, isGuest);
}

/** The event by which the user may join; undefined for who has joined. Errors: those of performJoin. */
export async function joinEvent(
  context: RoomserverContext,
  room: RoomDraft,
  { userId, isGuest = false, content }: Joining,
): Promise<LocalEvent | undefined> {
  const member = await room.currentEvent('m.room.member', userId);
  const membership = member?.pdu.membership;
  if (membership === 'join') return undefined;
  if (membership === 'ban') {
    throw new MatrixError('M_FORBIDDEN', 'You are banned from this room');
  }
  if (isGuest) await checkGuestsCanJoin(room);
  const authorisedVia =
    membership === 'invite' ? undefined : await authorisingUser(context, room, userId);
  const { join_authorised_via_users_server: _, ...wished } = content;
  return {
    type: 'm.room.member',
    sender: userId,
    stateKey: userId,
    content: {
      ...wished,
      membership: 'join',
      ...(authorisedVia !== undefined && { join_authorised_via_users_server: authorisedVia }),
    },
  };
}
