// The body of one /sync response: what happened between two tokens.

import { setImmediate } from 'node:timers/promises';
import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { wasActiveAt } from '../peeks/peek-state.ts';
import { membershipAt } from '../rooms/room-view.ts';
import type { Peek } from '../store/peeks.ts';
import { encodeSyncToken } from '../tokens.ts';
import { globalAccountData } from './account-data.ts';
import { type DeviceLists, deviceLists } from './device-lists.ts';
import { invitedRoom } from './invited.ts';
import { joinedRoom } from './joined.ts';
import { leftRoom } from './left.ts';
import { peekedRoom, peeksByRoom } from './peeked.ts';
import { joinedIn, presenceEvents } from './presence.ts';
import { roomsToTell } from './rooms-to-tell.ts';
import type { SyncRequest } from './sync-request.ts';
import { deviceMessages } from './to-device.ts';

/** Rooms worked on at once. */
const AT_ONCE = 16;

export interface SyncResponse {
  readonly body: JsonObject;
  /** Nothing but the next token. */
  readonly isEmpty: boolean;
}

type SectionName = 'join' | 'peek' | 'invite' | 'knock' | 'leave';

interface Rooms {
  readonly sections: Record<SectionName, Record<RoomId, JsonObject>>;
  readonly newRooms: RoomId[];
  readonly newUsers: Set<UserId>;
}

export async function syncResponse(sync: SyncRequest): Promise<SyncResponse> {
  const rooms: Rooms = {
    sections: { join: {}, peek: {}, invite: {}, knock: {}, leave: {} },
    newRooms: [],
    newUsers: new Set(),
  };
  await addRooms(sync, rooms);
  const accountData = await globalAccountData(sync);
  const presence = await presenceEvents(sync, {
    rooms: rooms.newRooms,
    users: [...rooms.newUsers],
  });
  const messages = await deviceMessages(sync);
  const lists = sync.since && (await deviceLists({ ...sync, since: sync.since }));
  const sections = Object.entries(rooms.sections).filter(
    ([, found]) => Object.keys(found).length > 0,
  );
  const told = {
    ...(sections.length > 0 && { rooms: Object.fromEntries(sections) }),
    ...(accountData.length > 0 && { account_data: { events: accountData } }),
    ...(presence.events.length > 0 && { presence: { events: presence.events } }),
    ...(messages.events.length > 0 && { to_device: { events: messages.events } }),
    ...(lists !== undefined && deviceListsBody(lists)),
  };
  const nextBatch = encodeSyncToken({
    ...sync.now,
    toDevice: messages.upTo,
    presence: presence.upTo,
  });
  sync.lazy.finish(nextBatch);
  return {
    body: { next_batch: nextBatch, ...told, ...(await keyCounts(sync)) },
    isEmpty: Object.keys(told).length === 0,
  };
}

/** Lists that are empty are left out. */
function deviceListsBody({ changed, left }: DeviceLists): JsonObject {
  if (changed.length + left.length === 0) return {};
  return {
    device_lists: { ...(changed.length > 0 && { changed }), ...(left.length > 0 && { left }) },
  };
}

async function keyCounts({ context, viewer }: SyncRequest): Promise<JsonObject> {
  const { oneTimeKeys, unusedFallbackKeys } = await context.userserver.queryKeyCounts(viewer);
  return {
    device_one_time_keys_count: oneTimeKeys,
    device_unused_fallback_key_types: unusedFallbackKeys,
  };
}

async function addRooms(sync: SyncRequest, rooms: Rooms): Promise<void> {
  const peeks = peeksByRoom(sync);
  const looked = [...peeks.keys()].filter((roomId) => sync.filter.passesRoom(roomId));
  const wanted = [...new Set([...roomsToTell(sync), ...looked])];
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    // What is in memory takes no turn of the event loop by itself.
    if (start > 0) await setImmediate();
    const group = wanted.slice(start, start + AT_ONCE);
    await Promise.all(group.map((roomId) => addRoom(sync, roomId, rooms)));
  }

  async function addRoom(request: SyncRequest, roomId: RoomId, found: Rooms): Promise<void> {
    const ofRoom = peeks.get(roomId) ?? [];
    const isTold = await addByMembership(request, { roomId, peeks: ofRoom }, found);
    if (isTold) return;
    const peeked = await peekedRoom(request, roomId, ofRoom);
    if (peeked !== undefined) found.sections[peeked.section][roomId] = peeked.json;
  }
}

interface RoomToTell {
  readonly roomId: RoomId;
  /** Those of the device. */
  readonly peeks: readonly Peek[];
}

/** Whether this settles what is told of the room: invites stand beside a peek, all else stands in its place. */
async function addByMembership(
  sync: SyncRequest,
  { roomId, peeks }: RoomToTell,
  { sections, newRooms, newUsers }: Rooms,
): Promise<boolean> {
  const history = sync.user.memberships.get(roomId) ?? [];
  const last = membershipAt(history, sync.now.rooms);
  switch (last?.membership) {
    case undefined:
      return false;
    case 'join': {
      const joined = await joinedRoom(sync, roomId, history);
      if (joined === undefined) return true;
      sections.join[roomId] = joined.json;
      if (joined.isNew) newRooms.push(roomId);
      for (const userId of await joinedIn(sync, joined.section.slice)) newUsers.add(userId);
      return true;
    }
    case 'invite':
    case 'knock': {
      const name = last.membership;
      const invited = await invitedRoom(sync, last);
      if (invited !== undefined) sections[name][roomId] = invited;
      return false;
    }
    default: {
      if (peeks.some((peek) => wasActiveAt(peek, sync.now))) return false;
      const left = await leftRoom(sync, history, peeks);
      if (left !== undefined) sections.leave[roomId] = left;
      return left !== undefined;
    }
  }
}
