// Another server of the room: builds and signs events as it likes, with any prev_events and auth_events.

import { createPublicKey } from 'node:crypto';
import { authTypesFor } from '../../src/protocol/auth/auth-types.ts';
import { buildPdu } from '../../src/protocol/events/build.ts';
import { Pdu, type PduRecord } from '../../src/protocol/events/pdu.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import { serverNameOf } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { generateSigningKey, type SigningKey } from '../../src/protocol/signing-key.ts';
import type { KeyRing } from '../../src/roomserver/input/key-ring.ts';
import type { TestRoomserver } from './harness.ts';

/** Signing keys of all servers that take part in a test, made when first asked for. */
export class TestKeys implements KeyRing {
  readonly #keys = new Map<string, SigningKey>();
  readonly #forgotten = new Set<string>();

  of(server: string): SigningKey {
    const key = this.#keys.get(server) ?? generateSigningKey();
    this.#keys.set(server, key);
    return key;
  }

  /** From now on the server's keys cannot be had. */
  forget(server: string): void {
    this.#forgotten.add(server);
  }

  /** They can again. */
  remember(server: string): void {
    this.#forgotten.delete(server);
  }

  key: KeyRing['key'] = async ({ server, keyId }) => {
    const key = this.#forgotten.has(server) ? undefined : this.#keys.get(server);
    return key?.keyId === keyId ? createPublicKey(key.privateKey) : undefined;
  };
}

export interface ForeignEvent {
  readonly roomId: RoomId;
  readonly sender: UserId;
  readonly type: string;
  readonly stateKey?: string;
  readonly content: JsonObject;
  readonly redacts?: EventId;
  /** Absent: the room's forward extremities. */
  readonly prevEvents?: readonly EventId[];
  /** Absent: chosen from the state after the first of the prev_events. */
  readonly authEvents?: readonly EventId[];
  readonly depth?: number;
}

/** Makes an event by what `server` knows of the room. */
export async function foreignEvent(
  { context, api }: Pick<TestRoomserver, 'context' | 'api'>,
  keys: TestKeys,
  event: ForeignEvent,
): Promise<Pdu> {
  const room = await api.queryRoom({ roomId: event.roomId });
  if (room === undefined) throw new Error('no such room');
  const rules = rulesOf(room.roomVersion);
  const prevEvents = event.prevEvents ?? room.forwardExtremities;
  const prevRecords = await context.events.load(prevEvents);
  const first = prevRecords.get(prevEvents[0] as EventId);
  const state = first?.stateAfter ?? room.currentState;
  const states = context.states.ofRoom(event.roomId);
  const authEvents: EventId[] = [];
  const { type, stateKey, sender, content } = event;
  for (const tuple of authTypesFor({ type, stateKey, sender, content }, rules)) {
    const id = await states.get(state, tuple.type, tuple.stateKey);
    if (id !== undefined) authEvents.push(id);
  }
  const authRecords = await context.events.load(event.authEvents ?? authEvents);
  const reference = (id: EventId) => prevRecords.get(id)?.pdu ?? authRecords.get(id)?.pdu ?? id;
  const server = serverNameOf(sender) as ServerName;
  return buildPdu({
    rules,
    roomId: event.roomId,
    sender,
    type,
    stateKey,
    content,
    redacts: event.redacts,
    prevEvents: prevEvents.map(reference),
    authEvents: (event.authEvents ?? authEvents).map(reference),
    depth: event.depth ?? 1 + Math.max(0, ...[...prevRecords.values()].map(({ pdu }) => pdu.depth)),
    originServerTs: context.clock.now(),
    serverName: server,
    signingKey: keys.of(server),
  });
}

/** The event with something else in it, under the old hash and signatures. */
export function tampered(pdu: PduRecord, change: JsonObject): Pdu {
  const { eventId, roomVersion, json } = pdu;
  return Pdu.from({ eventId, roomVersion, json: { ...json, ...change } });
}
