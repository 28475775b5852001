// Who may read what of a room: members everything that visibility lets them, those who have left what they could
// see then, everybody else only rooms that are world-readable now.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { MatrixError } from '../../protocol/error.ts';
import { readHistoryVisibility } from '../../protocol/events/content.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { isActive } from '../peeks/peek-state.ts';
import { lastJoin, membershipAt, type RoomView } from './room-view.ts';
import { stateAt } from './state-at.ts';

export type Access = 'joined' | 'left' | 'invited' | 'none';

interface Place {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
}

export async function queryAccess(
  context: SyncserverContext,
  { viewer, roomId }: Place,
): Promise<Access> {
  return accessOf(await context.live.user(viewer.userId), roomId, context.positions.rooms);
}

function accessOf(user: LiveUser, roomId: RoomId, position: number): Access {
  const history = user.memberships.get(roomId) ?? [];
  const last = membershipAt(history, position);
  if (last?.membership === 'join') return 'joined';
  if (last?.membership === 'invite') return 'invited';
  const hasLeft = last !== undefined && !last.forgotten && last.membership !== 'knock';
  return hasLeft && lastJoin(history, position) !== undefined ? 'left' : 'none';
}

/** How the viewer sees the room now. Throws M_FORBIDDEN. */
export async function viewRoom(context: SyncserverContext, place: Place): Promise<RoomView> {
  const { viewer, roomId } = place;
  const { userId } = viewer;
  const user = await context.live.user(userId);
  const { rooms: upTo } = context.positions;
  const history = user.memberships.get(roomId) ?? [];
  const access = accessOf(user, roomId, upTo);
  const ignored = new Set(await context.userserver.queryIgnoredUsers({ userId }));
  const base = { viewer, roomId, history, ignored };
  if (access === 'joined') {
    const endState = await stateAt(context, roomId, upTo);
    if (endState !== undefined) return { ...base, isLooker: false, upTo, endState };
  }
  const join = lastJoin(history, upTo);
  if (access === 'left' && join !== undefined && !looksInto(context, user, place)) {
    const endState = await stateAt(context, roomId, join.until);
    if (endState !== undefined) return { ...base, isLooker: false, upTo: join.until, endState };
  }
  // Asked rather than remembered: rooms that this server has left are not for reading, though rows remain.
  const room = await context.roomserver.queryRoom({ roomId });
  if (room !== undefined && isWorldReadable(room.visibility)) {
    const endState = (await stateAt(context, roomId, upTo)) ?? room.currentState;
    const isSame = endState === room.currentState;
    if (isSame || (await isOpenAt(context, roomId, endState))) {
      return { ...base, isLooker: true, upTo, endState };
    }
  }
  throw new MatrixError(
    'M_FORBIDDEN',
    'You are not a member of the room and were not previously a member of it',
  );
}

/** What has been consumed may be from a time when the room was closed, though it is open by now. */
async function isOpenAt(
  { roomserver }: SyncserverContext,
  roomId: RoomId,
  snapshot: StateSnapshotId,
): Promise<boolean> {
  const keys = [{ type: 'm.room.history_visibility', stateKey: '' }];
  const [event] = await roomserver.queryStateEvents({ roomId, snapshot, keys });
  return isWorldReadable(readHistoryVisibility(event?.json.content));
}

function looksInto(
  { clock }: SyncserverContext,
  user: LiveUser,
  { viewer, roomId }: Place,
): boolean {
  const now = clock.now();
  return user
    .device(viewer.deviceId)
    .peeks.some((peek) => peek.roomId === roomId && isActive(peek, now));
}
