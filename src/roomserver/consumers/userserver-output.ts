// Consumes `userserver.output`: writes down what has to reach the rooms of a user. Sending events is work for
// after the commit, which UserChangeWorker does.

import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { type UserChange, upsertUserChanges } from '../store/user-changes.ts';

type Topic = 'userserver.output';

export function consumeUserserverOutput(
  { database }: Pick<RoomserverContext, 'database'>,
  onChanges: () => void,
): Consumer<Topic> {
  return {
    name: 'roomserver',
    topic: 'userserver.output',
    database,
    apply: async (tx, entries) => {
      const latest = new Map<string, UserChange>();
      for (const entry of entries) {
        const change = changeOf(entry);
        if (change !== undefined) latest.set(`${change.kind} ${change.userId}`, change);
      }
      if (latest.size === 0) return;
      await upsertUserChanges(tx, [...latest.values()]);
      tx.afterCommit(onChanges);
    },
  };
}

/** Undefined for what does not concern rooms. */
function changeOf({ key, position, entry }: LogEntry<Topic>): UserChange | undefined {
  const change = { userId: key as UserId, position };
  switch (entry.kind) {
    case 'ProfileChanged': {
      const { displayname, avatarUrl } = entry;
      return { ...change, kind: 'profile', displayname, avatarUrl };
    }
    case 'UserDeactivated':
      return { ...change, kind: 'deactivation', displayname: undefined, avatarUrl: undefined };
    default:
      return undefined;
  }
}
