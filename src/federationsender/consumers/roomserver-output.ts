// Consumes `roomserver.output`: who is in which room, and which events are to be sent to whom.

import type { RoomEntry } from '../../eventlog/entries.ts';
import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { FederationsenderContext } from '../context.ts';
import { deleteMembersOfRoom } from '../store/hosts.ts';
import { deleteMissedOfRoom } from '../store/missed.ts';
import { deleteRoom } from '../store/rooms.ts';
import {
  endInboundPeeks,
  endPeeksOfClosedRoom,
  endPeeksOfDenied,
  newInboundPeek,
  newOutboundPeek,
  retireInboundPeek,
  retireOutboundPeek,
} from './peek-entries.ts';
import { applyMemberships, relayEvent } from './relay-event.ts';
import { type Place, RoomBatch } from './room-batch.ts';

type Topic = 'roomserver.output';

export function consumeRoomserverOutput(context: FederationsenderContext): Consumer<Topic> {
  return {
    name: 'federationsender',
    topic: 'roomserver.output',
    database: context.database,
    apply: async (tx, entries) => {
      const batch = await RoomBatch.begin(context, tx, entries);
      for (const entry of entries) await applyEntry(batch, entry);
      tx.afterCommit(() => {
        context.dispatcher.wake(batch.woken);
        for (const arrival of batch.arrivals) context.passing.arrived(arrival);
      });
    },
  };
}

async function applyEntry(
  batch: RoomBatch,
  { key, position, entry }: LogEntry<Topic>,
): Promise<void> {
  const place: Place = { roomId: key as RoomId, position };
  switch (entry.kind) {
    case 'NewRoomEvent':
      await relayEvent(batch, entry, place);
      await endPeeksOfDenied(batch, entry, place);
      return await endPeeksOfClosedRoom(batch, entry, place);
    case 'StateReplaced':
      await applyMemberships(batch, place);
      return await endPeeksOfClosedRoom(batch, entry, place);
    case 'NewInboundPeek':
      return newInboundPeek(batch, entry, place);
    case 'RetireInboundPeek':
      return retireInboundPeek(batch, entry, place);
    case 'NewOutboundPeek':
      return newOutboundPeek(batch, entry, place);
    case 'RetireOutboundPeek':
      return retireOutboundPeek(batch, entry, place);
    case 'PurgeRoom':
      return purge(batch, place);
    default:
      return notForServers(entry);
  }
}

/** What concerns this server and its clients alone. */
function notForServers(
  _entry: Exclude<
    RoomEntry,
    { kind: 'NewRoomEvent' | 'StateReplaced' | `${string}boundPeek` | 'PurgeRoom' }
  >,
): void {}

/** What is queued is still sent: the last event may be that this server has left. */
async function purge(batch: RoomBatch, place: Place): Promise<void> {
  const { tx, shared } = batch;
  const { roomId } = place;
  await deleteMembersOfRoom(tx, roomId);
  await endInboundPeeks(batch, place);
  await deleteMissedOfRoom(tx, roomId);
  await deleteRoom(tx, roomId);
  shared.delete(roomId);
}
