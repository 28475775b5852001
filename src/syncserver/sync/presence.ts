// Presence of those who share a room with the user.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { presenceContent } from '../live/presence-tracker.ts';
import { sharesRoom } from '../live/sharing.ts';
import { selectLocalMembers, selectNeighbours } from '../store/memberships.ts';
import type { SyncRequest } from './sync-request.ts';

/** Rooms that the user has newly joined, and users who have newly joined a room of hers. */
export interface NewCompany {
  readonly rooms: readonly RoomId[];
  readonly users: readonly UserId[];
}

export async function presenceEvents(
  sync: SyncRequest,
  company: NewCompany,
): Promise<JsonObject[]> {
  const { context, filter } = sync;
  if (filter.presence.passesNone) return [];
  const users = [...(await usersToTell(sync, company))];
  return users.flatMap((userId) => {
    const presence = context.presence.get(userId);
    const subject = { type: 'm.presence', sender: userId };
    if (presence === undefined || !filter.presence.passes(subject)) return [];
    return [{ ...subject, content: presenceContent(presence, context.clock.now()) }];
  });
}

async function usersToTell(sync: SyncRequest, company: NewCompany): Promise<Set<UserId>> {
  const { context, since, now, user } = sync;
  if (since === undefined) {
    return new Set([user.userId, ...(await selectNeighbours(context.database, user.userId))]);
  }
  const users = new Set<UserId>(company.users);
  for (const roomId of company.rooms) {
    for (const member of await selectLocalMembers(context.database, roomId)) users.add(member);
  }
  const before = since.epoch === now.epoch ? since.presence : 0;
  for (const userId of context.presence.changedAfter(before)) {
    if (await sharesRoom(context.live, user.userId, userId)) users.add(userId);
  }
  return users;
}
