// Listens to `edu.typing` and `edu.presence`, which are never on disk.

import { type RoomId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import type { FederationsenderContext } from '../context.ts';

/** Returns what ends it. */
export function listenToTyping({
  eventLog,
  typing,
  serverName,
}: Pick<FederationsenderContext, 'eventLog' | 'typing' | 'serverName'>): () => void {
  return eventLog.listenEphemeral('edu.typing', (roomId, entry) => {
    if (serverNameOf(entry.userId) === serverName) typing.set(roomId as RoomId, entry);
  });
}

/** Returns what ends it. */
export function listenToPresence({
  eventLog,
  passing,
  serverName,
}: Pick<FederationsenderContext, 'eventLog' | 'passing' | 'serverName'>): () => void {
  return eventLog.listenEphemeral('edu.presence', (userId, entry) => {
    if (serverNameOf(userId as UserId) === serverName) passing.presence(userId as UserId, entry);
  });
}
