// While something is on the way that has to come first, what servers relay is held, and received then.

import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { takeHeld } from '../receiving/receive-pdus.ts';

/** Events received at once. */
const CHUNK = 50;

/** Also where the work fails: one of our users may be in the room by then. */
export async function whileHeld<T>(
  context: RoomserverContext,
  { roomId, servers }: { readonly roomId: RoomId; readonly servers: readonly ServerName[] },
  work: () => Promise<T>,
): Promise<T> {
  context.outboundPeeks.held.open(roomId, servers);
  try {
    return await work();
  } finally {
    await receiveHeld(context, roomId);
  }
}

/** In the order in which they came; those that come meanwhile are held, too. */
async function receiveHeld(context: RoomserverContext, roomId: RoomId): Promise<void> {
  const { held } = context.outboundPeeks;
  try {
    for (let taken = held.take(roomId, CHUNK); taken !== undefined; ) {
      await takeHeld(context, { roomId, ...taken });
      taken = held.take(roomId, CHUNK);
    }
  } catch (error) {
    // They are found to be missing by what refers to them.
    context.logger.error({ roomId, err: error }, 'events that were held were not received');
  } finally {
    held.close(roomId);
  }
}
