// Consumes `federationsender.output`: peeks of ours that came to an end without our will.

import type { Consumer } from '../../eventlog/eventlog.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import type { OutboundPeeks } from '../peeking/outbound-peeks.ts';
import { deleteOutboundPeek } from '../store/outbound-peeks.ts';

type Topic = 'federationsender.output';

export function consumeOutboundPeekLost(
  { database }: Pick<RoomserverContext, 'database'>,
  outboundPeeks: Pick<OutboundPeeks, 'lost'>,
): Consumer<Topic> {
  return {
    name: 'roomserver',
    topic: 'federationsender.output',
    database,
    apply: async (tx, entries) => {
      for (const { key, entry } of entries) {
        const { server, peekId, reason } = entry;
        const peek = { roomId: key as RoomId, server, peekId };
        await deleteOutboundPeek(tx, peek);
        tx.afterCommit(() => outboundPeeks.lost(peek, reason === 'unreachable'));
      }
    },
  };
}
