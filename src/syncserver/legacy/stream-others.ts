// What /events shows besides events of rooms: invites, typing, receipts, presence and account data. To those who
// look into a room from outside, none of it.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { sharersAmong } from '../live/sharing.ts';
import { selectReceipts } from '../store/receipts.ts';
import { inviteEvent, presenceEvents, receiptEvents } from './legacy-events.ts';
import type { Stream } from './stream.ts';
import type { Placed } from './stream-rows.ts';

/** Of more changes of presence than this at once, the rest is not told. */
const MAX_PRESENCE = 500;

/** Invites in order. */
export async function streamInvites({
  context,
  user,
  since,
  now,
  ignored,
  isGlobal,
}: Stream): Promise<Placed[]> {
  if (!isGlobal) return [];
  const invites: Placed[] = [];
  for (const history of user.memberships.values()) {
    const last = history.at(-1);
    const isNews = (last?.position ?? 0) > since.rooms && (last?.position ?? 0) <= now.rooms;
    if (last?.membership !== 'invite' || !isNews) continue;
    const event = await inviteEvent(context, last);
    if (event === undefined || ignored.has(event.sender as UserId)) continue;
    invites.push({ position: last.position, event });
  }
  return invites.sort((one, other) => one.position - other.position);
}

/** What has no place among the events. */
export async function streamOthers(stream: Stream): Promise<JsonObject[]> {
  const rooms = [...stream.rooms.values()].filter((room) => room.isMember);
  if (rooms.length === 0 && !stream.isGlobal) return [];
  const roomIds = rooms.map(({ view }) => view.roomId);
  return [
    ...typing(stream, roomIds),
    ...(await receipts(stream, roomIds)),
    ...(await presence(stream, roomIds)),
    ...(await accountData(stream)),
  ];
}

/** Only the newest state is known, so that is what is told. */
function typing({ context, since, now }: Stream, roomIds: readonly RoomId[]): JsonObject[] {
  const isSameEpoch = since.epoch === now.epoch;
  return roomIds.flatMap((roomId) => {
    const userIds = context.typing.typingIn(roomId);
    const isChanged = isSameEpoch
      ? context.typing.versionOf(roomId) > since.typing
      : userIds.length > 0;
    if (!isChanged) return [];
    return [{ type: 'm.typing', room_id: roomId, content: { user_ids: userIds } }];
  });
}

async function receipts(
  { context, viewer, since, now }: Stream,
  roomIds: readonly RoomId[],
): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  for (const roomId of roomIds) {
    const range = { roomId, after: since.receipts, upTo: now.receipts };
    const inMemory = context.live.room(roomId)?.receipts(range.after, range.upTo);
    const found = inMemory ?? (await selectReceipts(context.database, range));
    events.push(...receiptEvents({ viewer, roomId }, found));
  }
  return events;
}

async function presence(
  { context, viewer, user, since, now, isGlobal }: Stream,
  roomIds: readonly RoomId[],
): Promise<JsonObject[]> {
  const after = since.epoch === now.epoch ? since.presence : 0;
  const changes = context.presence.changes({ after, upTo: now.presence, limit: MAX_PRESENCE });
  const userIds = changes.map(({ userId }) => userId);
  if (isGlobal) {
    return presenceEvents(context, await sharersAmong(context, user, userIds), viewer);
  }
  const company: UserId[] = [];
  for (const userId of userIds) {
    const other = await context.live.user(userId);
    if (roomIds.some((roomId) => other.isJoined(roomId))) company.push(userId);
  }
  return presenceEvents(context, company, viewer);
}

async function accountData({
  context,
  user,
  since,
  now,
  rooms,
  isGlobal,
}: Stream): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  for (const { roomId, type } of user.accountDataChanges(since.users, now.users)) {
    if (!isGlobal && (roomId === '' || !rooms.has(roomId))) continue;
    const key = { userId: user.userId, type, ...(roomId !== '' && { roomId }) };
    const content = await context.userserver.queryAccountData(key);
    if (content !== undefined) {
      events.push({ type, content, ...(roomId !== '' && { room_id: roomId }) });
    }
  }
  return events;
}
