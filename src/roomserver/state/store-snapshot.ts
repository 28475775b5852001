// Snapshots that are made outside of a room's lock: their nodes are written in chunks, and change nothing by being there.

import type { Database } from '../../database/database.ts';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import type { EventRecord } from '../event-record.ts';
import { insertNodes } from '../store/state-nodes.ts';
import { EMPTY_STATE } from './snapshot.ts';
import type { StateStore } from './state-store.ts';

const CHUNK = 500;

interface Stores {
  readonly database: Database;
  readonly states: StateStore;
}

/** The state that consists of the given events; those that are no state are left out. */
export async function storeSnapshot(
  { database, states }: Stores,
  roomId: RoomId,
  events: Iterable<EventRecord>,
): Promise<StateSnapshotId> {
  const ofRoom = states.ofRoom(roomId);
  const assignments = Array.from(events, ({ pdu }) => pdu).flatMap(({ type, stateKey, eventId }) =>
    stateKey === undefined ? [] : [{ type, stateKey, eventId }],
  );
  const snapshot = await ofRoom.set(EMPTY_STATE, assignments);
  const nodes = [...ofRoom.pending];
  for (let start = 0; start < nodes.length; start += CHUNK) {
    const chunk = nodes.slice(start, start + CHUNK);
    const data = chunk.map(([id, { content }]) => ({ room_id: roomId, node_id: id, content }));
    await database.transact(async (tx) => {
      await insertNodes(tx, data);
      tx.afterCommit(() => states.remember(chunk));
    });
  }
  return snapshot;
}

/** Whether two of the state events have the same key: which one counts, others would decide otherwise. */
export function hasKeyTwice(events: readonly EventRecord[]): boolean {
  const state = events.filter(({ pdu }) => pdu.isState);
  const keys = new Set(state.map(({ pdu }) => JSON.stringify([pdu.type, pdu.stateKey])));
  return keys.size < state.length;
}
