// The state of a room once a position of the log was consumed.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { selectTimeline } from '../store/timeline.ts';

/** Undefined before the room's first row. */
export async function stateAt(
  { live, database }: Pick<SyncserverContext, 'live' | 'database'>,
  roomId: RoomId,
  position: number,
): Promise<StateSnapshotId | undefined> {
  const latest = live.room(roomId)?.latest;
  if (latest !== undefined && latest.position <= position) return latest.currentState;
  const [row] = await selectTimeline(database, { roomId, after: 0, upTo: position, limit: 1 });
  return row?.currentState;
}
