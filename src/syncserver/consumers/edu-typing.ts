// Listens to `edu.typing`.

import type { EventLog } from '../../eventlog/eventlog.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { TypingTracker } from '../live/typing-tracker.ts';

/** Returns what ends it. */
export function listenToTyping(eventLog: EventLog, typing: TypingTracker): () => void {
  return eventLog.listenEphemeral('edu.typing', (roomId, entry) => {
    typing.set(roomId as RoomId, entry);
  });
}
