// Whether a server has been sent what it is to have of a room, such as that somebody has left it: waits for that.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { selectDestinationIds } from '../store/destinations.ts';
import { selectIsQueued } from '../store/queue.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface DeliveredOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly dispatcher: Pick<Dispatcher, 'attempted'>;
}

/** Resolves at once where the server is not sent to now, and after `timeoutMs` in any case. */
export async function delivered(
  { database, clock, dispatcher }: DeliveredOptions,
  { server, roomId }: { readonly server: ServerName; readonly roomId: RoomId },
  timeoutMs: number,
): Promise<void> {
  const end = Promise.withResolvers<void>();
  const cancel = clock.schedule(timeoutMs, end.resolve);
  let isOver = false;
  void end.promise.then(() => {
    isOver = true;
  });
  try {
    const id = (await selectDestinationIds(database, [server])).get(server);
    while (id !== undefined && !isOver) {
      // Asked for before the look, so that no attempt is missed.
      const attempt = dispatcher.attempted(id);
      if (attempt === undefined || !(await selectIsQueued(database, id, roomId))) return;
      await Promise.race([attempt, end.promise]);
    }
  } finally {
    cancel();
  }
}
