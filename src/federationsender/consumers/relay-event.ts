// Queues an event for the servers that are joined at it: before its own changes, so that who is kicked gets the kick,
// and after them, so that who has joined gets what follows.

import type { NewRoomEvent } from '../../eventlog/entries.ts';
import { Pdu } from '../../protocol/events/pdu.ts';
import { type ServerName, serverNameOf } from '../../protocol/identifiers.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import { addHosts, deleteLocalMembers, insertLocalMembers, removeHosts } from '../store/hosts.ts';
import {
  insertMissedBy,
  insertMissedByHosts,
  insertMissedByPeeks,
  updateMissedUntil,
} from '../store/missed.ts';
import {
  insertPdu,
  insertQueueOf,
  insertQueueOfHosts,
  insertQueueOfPeeks,
} from '../store/queue.ts';
import { updateExtremities, updateLatestOwn } from '../store/rooms.ts';
import { rescindedServer } from './membership-changes.ts';
import type { Place, RoomBatch } from './room-batch.ts';
import { tellOfDevices } from './tell-of-devices.ts';

/** No destination has this number. */
const NOBODY = 0;

export async function relayEvent(
  batch: RoomBatch,
  entry: NewRoomEvent,
  place: Place,
): Promise<void> {
  const isMembership = batch.changesMemberships(place.position);
  const newHosts = isMembership ? await joined(batch, place) : [];
  batch.arrived(place, newHosts);
  await relay(batch, entry, place);
  if (isMembership) await left(batch, place);
}

/** A state that changed without an event: nothing is sent. */
export async function applyMemberships(batch: RoomBatch, place: Place): Promise<void> {
  await joined(batch, place);
  await left(batch, place);
}

/** Returns the servers that are new in the room. */
async function joined(batch: RoomBatch, { roomId, position }: Place): Promise<number[]> {
  const { joinedHosts, joinedUsers } = batch.changesAt(position);
  if (joinedHosts.size > 0) await batch.share(roomId);
  const newHosts = await addHosts(batch.tx, roomId, batch.countsOf(joinedHosts));
  await insertLocalMembers(batch.tx, roomId, joinedUsers);
  if (batch.shared.has(roomId)) await tellOfDevices(batch, roomId, joinedUsers);
  return newHosts;
}

async function left(batch: RoomBatch, { roomId, position }: Place): Promise<void> {
  const { leftHosts, leftUsers } = batch.changesAt(position);
  const gone = await removeHosts(batch.tx, roomId, batch.countsOf(leftHosts));
  await updateMissedUntil(batch.tx, roomId, gone);
  await deleteLocalMembers(batch.tx, roomId, leftUsers);
}

async function relay(batch: RoomBatch, entry: NewRoomEvent, place: Place): Promise<void> {
  const isOwn = entry.sendAs === batch.context.serverName;
  const rescinded = isOwn ? rescindedOf(batch, entry) : undefined;
  if (rescinded !== undefined) await batch.share(place.roomId);
  const room = batch.shared.get(place.roomId);
  if (room === undefined) return;
  const isForPeeks = room.peeked && isShown(entry);
  if (!isOwn && !isForPeeks) return;
  const { roomId, position } = place;
  await insertPdu(batch.tx, { roomId, position, json: Pdu.from(entry.event).jsonText });
  if (isOwn) await updateLatestOwn(batch.tx, roomId, position);
  if (isOwn) await queueForHosts(batch, entry, place);
  if (rescinded !== undefined) await queueFor(batch, [rescinded], place);
  if (isForPeeks) await queueForPeeks(batch, entry, place);
}

/** To who looks in: not what has its place before the room was opened, but for what has become part of its state. */
function isShown({ event, stateChanges, visibilityAtEvent }: NewRoomEvent): boolean {
  if (isWorldReadable(visibilityAtEvent)) return true;
  return stateChanges.some(({ eventId }) => eventId === event.eventId);
}

/** Of another server: whose own user declines, has the event. */
function rescindedOf(batch: RoomBatch, { event, stateChanges }: NewRoomEvent): number | undefined {
  const server = rescindedServer(event.eventId, stateChanges);
  if (server === undefined || server === batch.context.serverName) return undefined;
  if (server === serverNameOf(Pdu.from(event).sender)) return undefined;
  return batch.destinationOf(server);
}

async function queueForHosts(batch: RoomBatch, entry: NewRoomEvent, place: Place): Promise<void> {
  const { roomId, position } = place;
  const except = await authorOf(batch, entry);
  batch.wake(await insertQueueOfHosts(batch.tx, roomId, { position, except }));
  await insertMissedByHosts(batch.tx, roomId, except);
}

async function queueFor(
  batch: RoomBatch,
  destinations: readonly number[],
  place: Place,
): Promise<void> {
  batch.wake(await insertQueueOf(batch.tx, destinations, place.position));
  await insertMissedBy(batch.tx, destinations, place);
}

async function queueForPeeks(batch: RoomBatch, entry: NewRoomEvent, place: Place): Promise<void> {
  const { roomId, position } = place;
  const { tx, now } = batch;
  const { eventId } = entry.event;
  const { extremities = [eventId] } = entry;
  await updateExtremities(tx, roomId, { eventId, position, extremities });
  const except = await authorOf(batch, entry);
  batch.wake(await insertQueueOfPeeks(tx, roomId, { position, now, except }));
  await insertMissedByPeeks(tx, roomId, { position, now });
}

/** The server whose event is relayed for it, as that of a join by way of this server: it has the event. */
async function authorOf({ context, tx }: RoomBatch, { event }: NewRoomEvent): Promise<number> {
  const server: ServerName = serverNameOf(Pdu.from(event).sender);
  if (server === context.serverName) return NOBODY;
  const known = await context.destinationIds.resolve(tx, new Set([server]));
  return known.get(server) ?? NOBODY;
}
