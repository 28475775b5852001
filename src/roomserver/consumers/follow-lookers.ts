// Keeps our looks into others' rooms in step with who looks here, and with what becomes of them.

import type { RoomserverContext } from '../context.ts';
import { consumeOutboundPeekLost } from './outbound-peek-lost.ts';
import { consumePeekInterest } from './peek-interest.ts';

/** Takes up what a restart has left, too. */
export async function followLookers(
  context: RoomserverContext,
): Promise<{ close(): Promise<void> }> {
  const { eventLog, outboundPeeks } = context;
  const subscriptions = [
    eventLog.consume(
      consumePeekInterest(context, (roomId, isWanted) =>
        outboundPeeks.interestChanged(roomId, isWanted),
      ),
    ),
    eventLog.consume(consumeOutboundPeekLost(context, outboundPeeks)),
  ];
  outboundPeeks.start();
  return {
    close: async () => {
      for (const subscription of subscriptions) await subscription.close();
    },
  };
}
