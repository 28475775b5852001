// Presence of those who share a room with the user.

import type { Presence } from '../../eventlog/entries.ts';
import { type RoomId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { presenceContent } from '../live/presence-tracker.ts';
import { sharesRoom } from '../live/sharing.ts';
import { selectLocalMembers, selectNeighbours } from '../store/memberships.ts';
import type { SyncRequest } from './sync-request.ts';

/** Of a large room that is joined, no more are looked up. */
const MAX_MET = 50;

/** Rooms that the user has newly joined, and users who have newly joined a room of hers. */
export interface NewCompany {
  readonly rooms: readonly RoomId[];
  readonly users: readonly UserId[];
}

export async function presenceEvents(
  sync: SyncRequest,
  company: NewCompany,
): Promise<JsonObject[]> {
  const { context, filter, since } = sync;
  if (filter.presence.passesNone) return [];
  const met = since === undefined ? [] : await usersMet(sync, company);
  const told = new Set([...met, ...(await usersToTell(sync))]);
  return [...told].flatMap((userId) => {
    const presence = context.presence.get(userId) ?? (met.includes(userId) ? OFFLINE : undefined);
    const subject = { type: 'm.presence', sender: userId };
    if (presence === undefined || !filter.presence.passes(subject)) return [];
    return [{ ...subject, content: contentOf(presence, context.clock.now()) }];
  });
}

const OFFLINE = 'offline';

function contentOf(presence: Presence | typeof OFFLINE, now: number): JsonObject {
  return presence === OFFLINE ? { presence } : presenceContent(presence, now);
}

/** Local users whom the user shares a room with only now: she is told even of those who were never heard of. */
async function usersMet({ context, user }: SyncRequest, company: NewCompany): Promise<UserId[]> {
  const candidates = new Set<UserId>(company.users);
  for (const roomId of company.rooms) {
    for (const member of await selectLocalMembers(context.database, roomId, MAX_MET + 1)) {
      candidates.add(member);
    }
  }
  candidates.delete(user.userId);
  const met: UserId[] = [];
  for (const userId of [...candidates].slice(0, MAX_MET)) {
    const isLocal = serverNameOf(userId) === context.serverName;
    if (isLocal && (await sharesRoom(context.live, user.userId, userId))) met.push(userId);
  }
  return met;
}

async function usersToTell(sync: SyncRequest): Promise<Set<UserId>> {
  const { context, since, now, user } = sync;
  if (since === undefined) {
    return new Set([user.userId, ...(await selectNeighbours(context.database, user.userId))]);
  }
  const users = new Set<UserId>();
  const before = since.epoch === now.epoch ? since.presence : 0;
  for (const userId of context.presence.changedAfter(before)) {
    if (await sharesRoom(context.live, user.userId, userId)) users.add(userId);
  }
  return users;
}
