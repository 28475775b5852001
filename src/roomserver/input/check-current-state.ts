// Check 6: the rules allow the event by the current state of the room, otherwise it is soft-failed.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { authorizeIn } from './authorize-in.ts';
import type { CheckedEvent } from './checked-event.ts';
import type { Judgement } from './judgement.ts';

export async function checkCurrentState(
  room: RoomDraft,
  event: CheckedEvent,
  { before, now }: { readonly before: StateSnapshotId; readonly now: StateSnapshotId },
): Promise<Judgement> {
  return before === now ? undefined : authorizeIn(room, now, event);
}
