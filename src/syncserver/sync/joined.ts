// `rooms.join`: the rooms that the user has joined.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { LiveRoom } from '../live/live-room.ts';
import { wasActiveAt } from '../peeks/peek-state.ts';
import { lastJoin, type RoomView } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import type { Membership } from '../store/memberships.ts';
import { unreadCounts } from '../unread/unread-counts.ts';
import { roomAccountData } from './account-data.ts';
import { ephemeralEvents } from './ephemeral.ts';
import { hasNews, roomSection, type Section } from './section.ts';
import type { SyncRequest } from './sync-request.ts';

export interface JoinedRoom {
  readonly json: JsonObject;
  readonly section: Section;
  /** The user had not joined it as far as the device knows. */
  readonly isNew: boolean;
}

/** Undefined when there is nothing to tell. */
export async function joinedRoom(
  sync: SyncRequest,
  roomId: RoomId,
  history: readonly Membership[],
): Promise<JoinedRoom | undefined> {
  const { context, since, now, fullState, viewer, ignored } = sync;
  const join = lastJoin(history, now.rooms);
  const wasJoined = since !== undefined && join !== undefined && join.from <= since.rooms;
  const continues = wasJoined || isShownAsPeek(sync, roomId);
  if (continues && !fullState && !isChanged(sync, roomId)) return undefined;
  const endState = await stateAt(context, roomId, now.rooms);
  if (endState === undefined) return undefined;
  const upTo = now.rooms;
  const view: RoomView = { viewer, roomId, isLooker: false, history, upTo, endState, ignored };
  const section = await roomSection(sync, {
    view,
    after: continues && since !== undefined ? since.rooms : 0,
    base:
      continues && since !== undefined && !fullState
        ? () => stateAt(context, roomId, since.rooms)
        : undefined,
    withSummary: true,
    isDetached: since !== undefined && !continues,
  });
  const isNew = !wasJoined;
  const ephemeral = await ephemeralEvents(sync, view, isNew);
  const accountData = await roomAccountData(sync, roomId, isNew || fullState);
  const mustTell = !continues || fullState || hasNews(section);
  if (!mustTell && ephemeral.length === 0 && accountData.length === 0) return undefined;
  const json = {
    ...(section.summary !== undefined && { summary: section.summary }),
    [sync.stateSection]: { events: section.state },
    timeline: section.timeline,
    ephemeral: { events: ephemeral },
    account_data: { events: accountData },
    ...(await unread(sync, view)),
  };
  return { json, section, isNew };
}

/** The device looks into the room as far as it knows: it has been sent the state. */
function isShownAsPeek({ device, since }: SyncRequest, roomId: RoomId): boolean {
  return (
    since !== undefined &&
    device.peeks.some(
      (peek) => peek.via === 'sync' && peek.roomId === roomId && wasActiveAt(peek, since),
    )
  );
}

function isChanged(sync: SyncRequest, roomId: RoomId): boolean {
  const { user, since, now } = sync;
  const room = user.rooms.get(roomId);
  return (
    since === undefined ||
    room === undefined ||
    isRoomChanged(sync, room) ||
    user.accountDataOf(roomId, since.users, now.users).length > 0
  );
}

/** Events, receipts or typing. */
export function isRoomChanged(
  { context, since, now }: Pick<SyncRequest, 'context' | 'since' | 'now'>,
  room: LiveRoom,
): boolean {
  if (since === undefined) return true;
  const typingBefore = since.epoch === now.epoch ? since.typing : 0;
  return (
    (room.latest?.position ?? 0) > since.rooms ||
    room.latestReceipt > since.receipts ||
    context.typing.versionOf(room.roomId) > typingBefore
  );
}

async function unread(sync: SyncRequest, view: RoomView): Promise<JsonObject> {
  const { context, now, filter } = sync;
  const counts = await unreadCounts(context, view, now.receipts);
  if (!filter.timeline.unreadThreadNotifications)
    return { unread_notifications: { ...counts.all } };
  return {
    unread_notifications: { ...counts.main },
    ...(counts.threads.size > 0 && {
      unread_thread_notifications: Object.fromEntries(
        [...counts.threads].map(([root, each]) => [root, { ...each }]),
      ),
    }),
  };
}
