// Asks the authorization rules about an event in a snapshot of the room.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { authorizeAgainstState } from '../../protocol/auth/authorize.ts';
import { authStateFor } from '../rooms/auth-state.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import type { CheckedEvent } from './checked-event.ts';
import { type Judgement, judge } from './judgement.ts';

export async function authorizeIn(
  room: RoomDraft,
  snapshot: StateSnapshotId,
  { pdu, signedBy }: CheckedEvent,
): Promise<Judgement> {
  const { lookup, create } = await authStateFor(room, snapshot, pdu);
  const verdict = authorizeAgainstState(pdu, lookup, {
    rules: room.rules,
    create,
    isSignedBy: (server) => signedBy.has(server),
  });
  return judge(verdict);
}
