// What is in the snapshots of a room.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, StateEntry, StateEntryChange, StoredEvent } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { queryEvents } from './query-events.ts';

type Context = Pick<RoomserverContext, 'rooms' | 'events' | 'states'>;

export async function queryStateEvents(
  context: Context,
  { roomId, snapshot, keys }: Parameters<RoomserverApi['queryStateEvents']>[0],
): Promise<StoredEvent[]> {
  const states = context.states.ofRoom(roomId);
  const state = snapshot ?? (await currentState(context, roomId));
  const eventIds: EventId[] = [];
  for (const { type, stateKey } of keys) {
    const id = await states.get(state, type, stateKey);
    if (id !== undefined) eventIds.push(id);
  }
  return queryEvents(context, { eventIds, includeSoftFailed: true });
}

export async function queryStateIds(
  context: Context,
  { roomId, snapshot, members, limit }: Parameters<RoomserverApi['queryStateIds']>[0],
): Promise<{ entries: StateEntry[] }> {
  const state = snapshot ?? (await currentState(context, roomId));
  return { entries: await context.states.ofRoom(roomId).entries(state, members, limit) };
}

export async function queryStateDelta(
  context: Context,
  { roomId, from, to }: Parameters<RoomserverApi['queryStateDelta']>[0],
): Promise<{ changes: StateEntryChange[] }> {
  return { changes: await context.states.ofRoom(roomId).diff(from, to) };
}

export async function queryStateAcross(
  context: Context,
  { roomId, snapshots, type, stateKey }: Parameters<RoomserverApi['queryStateAcross']>[0],
): Promise<(EventId | undefined)[]> {
  const states = context.states.ofRoom(roomId);
  const found: (EventId | undefined)[] = [];
  for (const snapshot of snapshots) found.push(await states.get(snapshot, type, stateKey));
  return found;
}

async function currentState(context: Context, roomId: RoomId): Promise<StateSnapshotId> {
  const head = await context.rooms.head(roomId);
  if (head === undefined) throw new MatrixError('M_NOT_FOUND', 'No such room');
  return head.currentState;
}
