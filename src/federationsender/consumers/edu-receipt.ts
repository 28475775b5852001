// Consumes `edu.receipt`: other servers are told how far this server's users have read, in public.

import type { Consumer } from '../../eventlog/eventlog.ts';
import { type RoomId, serverNameOf } from '../../protocol/identifiers.ts';
import type { FederationsenderContext } from '../context.ts';

type Topic = 'edu.receipt';

export function consumeReceipts(context: FederationsenderContext): Consumer<Topic> {
  const { serverName, passing, database } = context;
  return {
    name: 'federationsender',
    topic: 'edu.receipt',
    database,
    apply: async (tx, entries) => {
      const own = entries.filter(
        ({ entry }) => entry.type === 'm.read' && serverNameOf(entry.userId) === serverName,
      );
      tx.afterCommit(() => {
        for (const { key, entry } of own) passing.receipt(key as RoomId, entry);
      });
    },
  };
}
