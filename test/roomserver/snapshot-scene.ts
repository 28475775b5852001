// A room of another server whose state arrives here as a whole, as when this server joins it, or looks into it.

import assert from 'node:assert/strict';
import type { PduRecord } from '../../src/protocol/events/pdu.ts';
import type { EventId, ServerName } from '../../src/protocol/identifiers.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import type { MissingEvents } from '../../src/roomserver/input/missing-events.ts';
import type { Backend } from '../contracts/backends.ts';
import { otherDatabase, startRoomserver } from './harness.ts';
import { type Scene, setUp, THERE } from './scene.ts';

export interface Snapshot {
  readonly extremities: { eventId: EventId; stateAfter: EventId[] }[];
  /** The events of the states, their auth chains and the extremities. */
  readonly events: PduRecord[];
}

/** What another server would be told of the room as it is. */
export async function snapshotOf({ api, context, roomId }: Scene): Promise<Snapshot> {
  const head = await context.rooms.head(roomId);
  assert.ok(head);
  const wanted = new Set<EventId>();
  const extremities: Snapshot['extremities'] = [];
  for (const { eventId, stateAfter } of head.extremities) {
    const { entries } = await api.queryStateIds({ roomId, snapshot: stateAfter, members: 'all' });
    extremities.push({ eventId, stateAfter: entries.map((entry) => entry.eventId) });
    for (const entry of entries) wanted.add(entry.eventId);
    wanted.add(eventId);
  }
  // The set grows while it is walked.
  for (const id of wanted) {
    for (const authId of (await context.events.get(id))?.pdu.authEvents ?? []) wanted.add(authId);
  }
  const records = await context.events.load([...wanted]);
  return { extremities, events: [...records.values()].map(({ pdu }) => pdu) };
}

const LOCAL = 'local.test' as ServerName;

/** A server that is not in the room, and one that is. */
export async function setUpBoth(
  backend: Backend,
  {
    roomVersion = '11',
    missingEvents,
  }: { roomVersion?: RoomVersionId; missingEvents?: MissingEvents } = {},
) {
  const there = await setUp(otherDatabase(), { roomVersion });
  const options = { keyRing: there.keys, serverName: LOCAL, signingKey: there.keys.of(LOCAL) };
  const local = await startRoomserver(backend, {
    ...options,
    ...(missingEvents && { missingEvents }),
  });
  const { roomId } = there;
  // Else it would keep what it has of the room to itself.
  local.context.outboundPeeks.started({ roomId, server: THERE, peekId: 'test' });
  const inputState = (snapshot: Snapshot, reason: 'join' | 'peek' | 'resync' = 'peek') =>
    local.api.inputState({ roomId, roomVersion, reason, ...snapshot });
  const input = (...events: PduRecord[]) =>
    local.api.inputEvents({ roomId, origin: THERE, events, kind: 'new' });
  const close = async () => {
    await local.close();
    await there.close();
  };
  return { there, local, roomId, inputState, input, close };
}
