// Consumes `syncserver.peek_interest`: whether anybody here looks into a room. What follows needs other servers and is
// work for after the commit.

import type { Consumer } from '../../eventlog/eventlog.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { upsertPeekInterest } from '../store/outbound-peeks.ts';

type Topic = 'syncserver.peek_interest';

export function consumePeekInterest(
  { database }: Pick<RoomserverContext, 'database'>,
  onChange: (roomId: RoomId, isWanted: boolean) => void,
): Consumer<Topic> {
  return {
    name: 'roomserver',
    topic: 'syncserver.peek_interest',
    database,
    apply: async (tx, entries) => {
      const levels = new Map<RoomId, boolean>();
      for (const { key, entry } of entries) {
        const roomId = key as RoomId;
        levels.set(roomId, entry.wanted);
        await upsertPeekInterest(tx, { roomId, wanted: entry.wanted, sequence: entry.sequence });
      }
      tx.afterCommit(() => {
        for (const [roomId, isWanted] of levels) onChange(roomId, isWanted);
      });
    },
  };
}
