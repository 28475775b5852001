// `device_lists`: users whose devices or cross-signing keys the device has to ask for again, since they have changed or
// since it has met them only now; and users with whom its own shares no room any more. Rooms looked into do not count.

import {
  type EventId,
  type RoomId,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import type { MemberChange } from '../live/live-room.ts';
import { sharersAmong } from '../live/sharing.ts';
import { lastJoin, membershipAt } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import { selectDeviceListChanges } from '../store/device-lists.ts';
import type { Membership } from '../store/memberships.ts';
import { selectMembersOfRoom } from '../store/remote-members.ts';
import type { SyncToken } from '../tokens.ts';
import type { SyncRequest } from './sync-request.ts';

export interface DeviceLists {
  readonly changed: readonly UserId[];
  readonly left: readonly UserId[];
}

export type Between = Pick<SyncRequest, 'context' | 'user' | 'now'> & { readonly since: SyncToken };

/** Users whom somebody begins, or ceases, to share a room with: as far as one room tells. */
interface Company {
  readonly met: Set<UserId>;
  readonly parted: Set<UserId>;
}

interface Changed {
  readonly toAll: readonly UserId[];
  readonly toHer: readonly UserId[];
}

const NOTHING: DeviceLists = { changed: [], left: [] };

export async function deviceLists(between: Between): Promise<DeviceLists> {
  const { context, user, since } = between;
  const rooms = [...user.memberships].filter(([id, of]) => !hasSameCompany(between, id, of));
  if (rooms.length === 0 && context.deviceLists.latest <= since.users) return NOTHING;
  const { met, parted } = await companyOf(between, rooms);
  const { toAll, toHer } = await changedUsers(between);
  if (met.size + parted.size + toAll.length + toHer.length === 0) return NOTHING;
  const sharers = await sharersAmong(context, user, [...new Set([...toAll, ...parted])]);
  const changed = new Set([...toAll.filter((userId) => sharers.has(userId)), ...toHer, ...met]);
  const left = [...parted].filter((userId) => !sharers.has(userId) && !met.has(userId));
  return { changed: [...changed], left };
}

/** Keys that look different to all who share a room with their owners, and those that do to this user alone. */
async function changedUsers({ context, since, now, user }: Between): Promise<Changed> {
  const { deviceLists: recent, database } = context;
  const range = { after: since.users, upTo: now.users };
  if (recent.latest <= range.after) return { toAll: [], toHer: [] };
  const toAll = { ...range, seenBy: '' as const };
  const toHer = { ...range, seenBy: user.userId };
  return {
    toAll: recent.changes(toAll) ?? (await selectDeviceListChanges(database, toAll)),
    toHer: recent.changes(toHer) ?? (await selectDeviceListChanges(database, toHer)),
  };
}

async function companyOf(
  between: Between,
  rooms: Iterable<readonly [RoomId, readonly Membership[]]>,
): Promise<Company> {
  const company: Company = { met: new Set(), parted: new Set() };
  for (const [roomId, history] of rooms) {
    await addCompanyIn(between, { roomId, history }, company);
  }
  company.met.delete(between.user.userId);
  company.parted.delete(between.user.userId);
  return company;
}

/** As far as memory tells, which it mostly does: nothing is asked then. */
function hasSameCompany(
  { user, since, now }: Between,
  roomId: RoomId,
  history: readonly Membership[],
): boolean {
  const last = history.at(-1);
  if (last === undefined || last.position > since.rooms) return false;
  if (last.membership !== 'join') return true;
  const room = user.rooms.get(roomId);
  if (room === undefined) return false;
  return (
    (room.latest?.position ?? 0) <= since.rooms ||
    room.members(since.rooms, now.rooms)?.length === 0
  );
}

async function addCompanyIn(
  between: Between,
  { roomId, history }: { readonly roomId: RoomId; readonly history: readonly Membership[] },
  company: Company,
): Promise<void> {
  const { context, since, now } = between;
  const wasJoined = isJoinedAt(history, since.rooms);
  const isJoined = isJoinedAt(history, now.rooms);
  if (wasJoined && isJoined) {
    const changed = await changedMembers(between, { roomId, upTo: now.rooms });
    addAll(company, changed);
  }
  // Who left and came back within the window was told of nothing meanwhile, so she meets all of them anew.
  if (isJoined && (lastJoin(history, now.rooms)?.from ?? 0) > since.rooms) {
    for (const userId of await selectMembersOfRoom(context.database, roomId)) {
      company.met.add(userId);
    }
  } else if (wasJoined && !isJoined) {
    for (const userId of await selectMembersOfRoom(context.database, roomId)) {
      company.parted.add(userId);
    }
    const upTo = history.at(-1)?.position ?? now.rooms;
    const { parted } = await changedMembers(between, { roomId, upTo });
    addAll(company, { met: new Set(), parted });
  }
}

function isJoinedAt(history: readonly Membership[], position: number): boolean {
  return membershipAt(history, position)?.membership === 'join';
}

function addAll(company: Company, { met, parted }: Company): void {
  for (const userId of met) company.met.add(userId);
  for (const userId of parted) company.parted.add(userId);
}

async function changedMembers(
  between: Between,
  place: { readonly roomId: RoomId; readonly upTo: number },
): Promise<Company> {
  const { met, parted }: Company = { met: new Set(), parted: new Set() };
  const changes = changesInMemory(between, place) ?? (await changesOfState(between, place));
  const first = new Map<UserId, boolean>();
  for (const { userId, wasJoined, isJoined, isInvited } of changes) {
    const before = first.get(userId) ?? wasJoined;
    first.set(userId, before);
    // Who has been away has been met anew: nobody told of her devices meanwhile.
    if ((!wasJoined && isJoined) || isInvited) met.add(userId);
    if (!isJoined && !isInvited) met.delete(userId);
    if (isJoined) parted.delete(userId);
    else if (before) parted.add(userId);
  }
  return { met, parted };
}

type Change = Pick<MemberChange, 'userId' | 'wasJoined' | 'isJoined' | 'isInvited'>;

function changesInMemory(
  { user, since }: Between,
  { roomId, upTo }: { readonly roomId: RoomId; readonly upTo: number },
): readonly Change[] | undefined {
  const room = user.rooms.get(roomId);
  if (room === undefined) return undefined;
  if ((room.latest?.position ?? 0) <= since.rooms) return [];
  return room.members(since.rooms, upTo);
}

async function changesOfState(
  { context, since }: Between,
  { roomId, upTo }: { readonly roomId: RoomId; readonly upTo: number },
): Promise<readonly Change[]> {
  const from = await stateAt(context, roomId, since.rooms);
  const to = await stateAt(context, roomId, upTo);
  if (from === undefined || to === undefined || from === to) return [];
  const { changes } = await context.roomserver.queryStateDelta({ roomId, from, to });
  const members = changes.filter(({ type }) => type === 'm.room.member');
  const membershipOf = await memberships(
    context,
    members.flatMap((change) => [change.from ?? [], change.to ?? []].flat()),
  );
  return members.map((change) => {
    const userId = change.stateKey as UserId;
    const [before, after] = [membershipOf(change.from), membershipOf(change.to)];
    // Who was there and is there may have been away meanwhile; of users of this server nothing was missed.
    const isSure = before === 'join' && serverNameOf(userId) === context.serverName;
    return {
      userId,
      wasJoined: before === 'join' && (isSure || after !== 'join'),
      isJoined: after === 'join',
      isInvited: after === 'invite' && before !== 'invite',
    };
  });
}

async function memberships(
  { events }: Pick<SyncserverContext, 'events'>,
  eventIds: readonly EventId[],
): Promise<(eventId: EventId | undefined) => unknown> {
  const found = await events.get(eventIds);
  return (eventId) => eventId && found.get(eventId)?.json.content.membership;
}
