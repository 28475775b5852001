// Consumes `roomserver.output`: timelines, memberships of local users, and peeks.

import type { NewRoomEvent, RoomEntry, StateReplaced } from '../../eventlog/entries.ts';
import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import { updateForgotten } from '../store/memberships.ts';
import { updatePeeksOfRoomPurged } from '../store/peeks.ts';
import { deleteRemoteMembersOfRoom } from '../store/remote-members.ts';
import { changeMemberships, newInvite, retireInvite } from './membership-entries.ts';
import {
  endPeeksOfClosedRoom,
  newPeek,
  type PreparedPeeks,
  preparePeeks,
  retireAllPeeks,
  retirePeek,
} from './peek-entries.ts';
import { RoomBatch } from './room-batch.ts';
import { RoomHeads } from './room-heads.ts';
import { type Place, rowOfNewEvent, rowOfOldEvent, rowOfReplacedState } from './timeline-row.ts';

type Topic = 'roomserver.output';
type Entry = LogEntry<Topic>;

export function consumeRoomserverOutput(
  context: SyncserverContext,
): Consumer<Topic, PreparedPeeks> {
  const heads = new RoomHeads();
  return {
    name: 'syncserver',
    topic: 'roomserver.output',
    database: context.database,
    prepare: (entries) => preparePeeks(context, entries),
    apply: async (tx, entries, peeks) => {
      const before = await heads.read(tx, roomsWithRows(entries));
      const batch = new RoomBatch({ context, tx, heads: before, peeks });
      for (const entry of entries) await applyEntry(batch, entry);
      await batch.write();
      if (batch.peekedRooms.size > 0) await context.interest.settle(tx, batch.peekedRooms);
      tx.afterCommit(() => {
        for (const [roomId, head] of batch.heads) heads.set(roomId, head);
        for (const roomId of batch.purgedRooms) heads.delete(roomId);
        batch.tell(entries.at(-1)?.position ?? 0);
      });
    },
  };
}

function roomsWithRows(entries: readonly Entry[]): ReadonlySet<RoomId> {
  const withRow = entries.filter(
    ({ entry }) => entry.kind === 'NewRoomEvent' || entry.kind === 'StateReplaced',
  );
  return new Set(withRow.map(({ key }) => key as RoomId));
}

async function applyEntry(batch: RoomBatch, { key, position, entry }: Entry): Promise<void> {
  const place: Place = { roomId: key as RoomId, position, now: batch.now };
  switch (entry.kind) {
    case 'NewRoomEvent':
      return newRoomEvent(batch, entry, place);
    case 'OldRoomEvent':
      return batch.addRow(rowOfOldEvent(entry, place));
    case 'StateReplaced':
      batch.addRow(rowOfReplacedState(entry, place, batch.heads.get(place.roomId)));
      return stateChanged(batch, entry, place);
    case 'RedactedEvent':
      return batch.forgetEvent(entry.redacted);
    case 'NewInvite':
      return newInvite(batch, entry, place);
    case 'RetireInvite':
      return retireInvite(batch, entry, place);
    case 'NewPeek':
      return newPeek(batch, entry, place);
    case 'RetirePeek':
      return retirePeek(batch, entry, place);
    case 'RetireAllPeeks':
      return retireAllPeeks(batch, place);
    case 'ForgetRoom':
      await batch.writeMemberships();
      batch.changeUser(entry.userId, (user) => user.forget(place.roomId));
      return updateForgotten(batch.tx, entry.userId, place.roomId);
    case 'PurgeRoom':
      return purge(batch, place);
    default:
      return notForClients(entry);
  }
}

/** Peeks of, and into, other servers: the federationsender's. */
function notForClients(_entry: Extract<RoomEntry, { kind: `${string}boundPeek` }>): void {}

async function newRoomEvent(batch: RoomBatch, entry: NewRoomEvent, place: Place): Promise<void> {
  const { event, stateBefore, visibilityAtEvent, stateChanges } = entry;
  const own = stateChanges.find((change) => change.eventId === event.eventId);
  batch.addRow(rowOfNewEvent(entry, place, batch.heads.get(place.roomId)), {
    eventId: event.eventId,
    roomVersion: event.roomVersion,
    json: event.json,
    stateBefore,
    visibilityAtEvent,
    ...(own?.replacedEventId !== undefined && { replacesState: own.replacedEventId }),
  });
  if (stateChanges.length > 0) await stateChanged(batch, entry, place);
}

async function stateChanged(
  batch: RoomBatch,
  entry: NewRoomEvent | StateReplaced,
  place: Place,
): Promise<void> {
  await changeMemberships(batch, entry, place);
  await endPeeksOfClosedRoom(batch, entry, place);
}

/** Its rows are out of sight with its memberships, and are deleted later. */
async function purge(batch: RoomBatch, { roomId, position }: Place): Promise<void> {
  // Rows of this very batch too.
  await batch.write();
  await deleteRemoteMembersOfRoom(batch.tx, roomId);
  await batch.context.purges.add(batch.tx, { roomId, position });
  batch.changePeeks(await updatePeeksOfRoomPurged(batch.tx, roomId, position));
  batch.purge(roomId);
}
