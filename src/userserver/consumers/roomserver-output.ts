// Consumes `roomserver.output`: of users of other servers who come or go it is not known any more whether their servers
// tell of their devices.

import type { RoomEntry } from '../../eventlog/entries.ts';
import type { Consumer } from '../../eventlog/eventlog.ts';
import {
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { UserserverContext } from '../context.ts';
import { updateAllListsStale, updateListsStale } from '../store/remote-device-lists.ts';

type Topic = 'roomserver.output';

export function consumeRoomserverOutput({
  database,
  serverName,
}: Pick<UserserverContext, 'database' | 'serverName'>): Consumer<Topic> {
  return {
    name: 'userserver',
    topic: 'roomserver.output',
    database,
    apply: async (tx, entries) => {
      const moved = new Set<UserId>();
      for (const { entry } of entries) {
        if (isArrival(entry)) return await updateAllListsStale(tx);
        for (const userId of movedUsers(entry, serverName)) moved.add(userId);
      }
      if (moved.size > 0) await updateListsStale(tx, [...moved]);
    },
  };
}

/** This server has come (back) to a room, and does not know who was there all the time. */
function isArrival(entry: RoomEntry): boolean {
  if (entry.kind === 'NewRoomEvent') return entry.isArrival === true;
  return entry.kind === 'StateReplaced' && entry.reason === 'join';
}

function movedUsers(entry: RoomEntry, serverName: ServerName): UserId[] {
  if (entry.kind !== 'NewRoomEvent' && entry.kind !== 'StateReplaced') return [];
  return entry.stateChanges.flatMap(({ type, stateKey, membership, previousMembership }) => {
    const isMove = type === 'm.room.member' && membership !== previousMembership;
    if (!isMove || !isUserId(stateKey) || serverNameOf(stateKey) === serverName) return [];
    return membership === 'join' || previousMembership === 'join' ? [stateKey] : [];
  });
}
