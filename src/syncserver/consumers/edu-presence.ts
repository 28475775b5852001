// Listens to `edu.presence`.

import type { EventLog } from '../../eventlog/eventlog.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { PresenceTracker } from '../live/presence-tracker.ts';

/** Returns what ends it. */
export function listenToPresence(eventLog: EventLog, presence: PresenceTracker): () => void {
  return eventLog.listenEphemeral('edu.presence', (userId, entry) => {
    presence.set(userId as UserId, entry);
  });
}
