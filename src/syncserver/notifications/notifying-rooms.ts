// The rooms that a user has joined, as far as they matter for her notifications.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { lastJoin, type RoomView } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import type { Membership } from '../store/memberships.ts';
import { unreadCounts } from '../unread/unread-counts.ts';

export interface NotifyingRoom {
  readonly view: RoomView;
  /** Where the user joined. */
  readonly since: number;
  /** Positions of what is unread. */
  readonly unread: ReadonlySet<number>;
  readonly rules: JsonObject;
  readonly displayName: string | undefined;
}

export interface NotifyingRooms {
  readonly roomIds: readonly RoomId[];
  /** Before the first join there is nothing. */
  readonly since: number;
  readonly upTo: number;
  /** Undefined when the room is gone. */
  room(roomId: RoomId): Promise<NotifyingRoom | undefined>;
}

interface Place {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly history: readonly Membership[];
  readonly upTo: number;
  readonly ignored: ReadonlySet<UserId>;
}

export async function notifyingRooms(
  context: SyncserverContext,
  viewer: Viewer,
): Promise<NotifyingRooms> {
  const { userId } = viewer;
  const ignored = new Set(await context.userserver.queryIgnoredUsers({ userId }));
  const user = await context.live.user(userId);
  const { rooms: upTo } = context.positions;
  const places = new Map<RoomId, Place>();
  for (const [roomId, history] of user.memberships) {
    const isJoined = lastJoin(history, upTo)?.until === Number.POSITIVE_INFINITY;
    if (isJoined) places.set(roomId, { viewer, roomId, history, upTo, ignored });
  }
  const joins = [...places.values()].map(({ history }) => lastJoin(history, upTo)?.from ?? upTo);
  // Each is looked at when the first event of it comes up.
  const rooms = new Map<RoomId, Promise<NotifyingRoom | undefined>>();
  return {
    roomIds: [...places.keys()],
    since: Math.min(upTo, ...joins),
    upTo,
    room: (roomId) => {
      const place = places.get(roomId);
      const room = rooms.get(roomId) ?? (place && readRoom(context, place));
      if (room !== undefined) rooms.set(roomId, room);
      return room ?? Promise.resolve(undefined);
    },
  };
}

async function readRoom(
  context: SyncserverContext,
  place: Place,
): Promise<NotifyingRoom | undefined> {
  const { roomId, viewer, history, upTo } = place;
  const endState = await stateAt(context, roomId, upTo);
  if (endState === undefined) return undefined;
  const view: RoomView = { ...place, isLooker: false, endState };
  await unreadCounts(context, view, context.positions.receipts);
  const state = context.unread.get(viewer.userId, roomId);
  return {
    view,
    since: lastJoin(history, upTo)?.from ?? upTo,
    unread: new Set(state?.unread.entries().map(({ position }) => position)),
    rules: state?.rules ?? {},
    displayName: state?.displayName,
  };
}
