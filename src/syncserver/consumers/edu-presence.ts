// Listens to `edu.presence`.

import { serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { RemotePresence } from '../live/remote-presence.ts';

type Needs = Pick<
  SyncserverContext,
  'eventLog' | 'presence' | 'serverName' | 'database' | 'clock' | 'logger'
>;

/** Returns what ends it. */
export function listenToPresence(needs: Needs): () => void {
  const { eventLog, presence, serverName } = needs;
  const remote = new RemotePresence({
    ...needs,
    set: (userId, entry) => presence.set(userId, entry),
  });
  const end = eventLog.listenEphemeral('edu.presence', (key, entry) => {
    const userId = key as UserId;
    if (serverNameOf(userId) === serverName) presence.set(userId, entry);
    else remote.add(userId, entry);
  });
  return () => {
    end();
    remote.close();
  };
}
