// A room as a foreign server keeps it: events of any shape, with the state after each, so that further ones can be built
// rightly or wrongly. It knows no rules but how events refer to each other.

import { authTypesFor } from '../../src/protocol/auth/auth-types.ts';
import { buildPdu } from '../../src/protocol/events/build.ts';
import { Pdu, type PduJson } from '../../src/protocol/events/pdu.ts';
import { eventIdOf } from '../../src/protocol/hashing.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../src/protocol/identifiers.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { randomRoomId } from '../../src/protocol/opaque-ids.ts';
import type { RoomVersionId } from '../../src/protocol/roomversions/room-version.ts';
import { rulesOf } from '../../src/protocol/roomversions/table.ts';
import { signPdu } from '../../src/protocol/signing.ts';
import type { SigningKey } from '../../src/protocol/signing-key.ts';

export interface Signatory {
  readonly name: ServerName;
  readonly signingKey: SigningKey;
  now(): number;
}

export interface NewEvent {
  readonly type: string;
  readonly sender: string;
  readonly stateKey?: string;
  readonly content?: JsonObject;
  readonly redacts?: EventId;
  /** Absent: the heads. */
  readonly prevEvents?: readonly EventId[];
  /** Absent: what the specification selects from the state before. */
  readonly authEvents?: readonly EventId[];
  readonly depth?: number;
  readonly originServerTs?: number;
  /** Absent: the sender's server, which is ours. */
  readonly signedBy?: Signatory;
}

type State = ReadonlyMap<string, EventId>;
const keyOf = (type: string, stateKey: string) => `${type}\0${stateKey}`;

export class ForeignRoom {
  readonly version: RoomVersionId;
  readonly events = new Map<EventId, Pdu>();
  /** What the next event comes after. */
  heads: EventId[] = [];
  roomId = '' as RoomId;
  readonly #owner: Signatory;
  readonly #statesAfter = new Map<EventId, State>();

  constructor(owner: Signatory, version: RoomVersionId) {
    this.#owner = owner;
    this.version = version;
  }

  get rules() {
    return rulesOf(this.version);
  }

  /** A room with its creator, power levels and join rules. */
  static create(
    owner: Signatory,
    version: RoomVersionId,
    more: {
      creator: string;
      createContent?: JsonObject;
      initialState?: readonly Omit<NewEvent, 'sender'>[];
    },
  ): ForeignRoom {
    const { creator: sender, createContent, initialState = [] } = more;
    const room = new ForeignRoom(owner, version);
    const { roomIdIsCreateEventId, implicitCreator, privilegedCreators } = room.rules;
    if (!roomIdIsCreateEventId) room.roomId = randomRoomId(owner.name);
    const named = { room_version: version, ...(!implicitCreator && { creator: sender }) };
    const content = { ...createContent, ...named };
    const create = room.add({ type: 'm.room.create', sender, stateKey: '', content });
    room.roomId = create.roomId;
    room.add({
      type: 'm.room.member',
      sender,
      stateKey: sender,
      content: { membership: 'join' },
    });
    const users = privilegedCreators ? {} : { [sender]: 100 };
    room.add({ type: 'm.room.power_levels', sender, stateKey: '', content: { users } });
    const rules = { join_rule: 'public' };
    room.add({ type: 'm.room.join_rules', sender, stateKey: '', content: rules });
    for (const event of initialState) room.add({ sender, ...event });
    return room;
  }

  /** From the answer to send_join. */
  static joined(
    owner: Signatory,
    version: RoomVersionId,
    answer: { join: PduJson; state: readonly PduJson[]; authChain: readonly PduJson[] },
  ): ForeignRoom {
    const room = new ForeignRoom(owner, version);
    for (const json of answer.authChain) room.#keep(room.pduOf(json), new Map());
    const state = new Map<string, EventId>();
    for (const json of answer.state) {
      const pdu = room.pduOf(json);
      state.set(keyOf(pdu.type, pdu.stateKey ?? ''), pdu.eventId);
      room.#keep(pdu, new Map());
    }
    const join = room.pduOf(answer.join);
    room.roomId = join.roomId;
    for (const id of join.prevEvents) room.#statesAfter.set(id, state);
    room.receive(answer.join);
    return room;
  }

  /** Builds and keeps an event, whatever it says; the new head. */
  add(event: NewEvent): Pdu {
    const pdu = this.build(event);
    this.#append(pdu);
    return pdu;
  }

  /** As `add`, but it stays unknown to the room. */
  build(event: NewEvent): Pdu {
    const { type, sender, stateKey, content = {}, redacts } = event;
    const prevEvents = event.prevEvents ?? this.heads;
    const state = this.stateAfter(prevEvents);
    const authEvents =
      event.authEvents ??
      authTypesFor({ type, stateKey, sender, content }, this.rules).flatMap(
        (one) => state.get(keyOf(one.type, one.stateKey)) ?? [],
      );
    const depths = prevEvents.map((id) => this.events.get(id)?.depth ?? 0);
    const { name, signingKey, now } = event.signedBy ?? this.#owner;
    const isCreate = type === 'm.room.create' && this.rules.roomIdIsCreateEventId;
    return buildPdu({
      rules: this.rules,
      roomId: isCreate ? undefined : this.roomId,
      sender: sender as UserId,
      type,
      stateKey,
      content,
      redacts,
      prevEvents: prevEvents.map((id) => this.events.get(id) ?? id),
      authEvents: authEvents.map((id) => this.events.get(id) ?? id),
      depth: event.depth ?? 1 + Math.max(0, ...depths),
      originServerTs: event.originServerTs ?? now(),
      serverName: name,
      signingKey,
    });
  }

  /** An event with another content or the like, hashes left as they are, signed anew: its id may change. */
  altered(pdu: Pdu, change: JsonObject, signedBy: Signatory = this.#owner): Pdu {
    const { signatures: _, ...json } = pdu.json;
    const by = { serverName: signedBy.name, key: signedBy.signingKey };
    return this.pduOf(signPdu({ ...json, ...change } as PduJson, this.rules, by));
  }

  /** An event of another server. */
  receive(json: PduJson): Pdu {
    const pdu = this.pduOf(json);
    if (!this.events.has(pdu.eventId) || !this.#statesAfter.has(pdu.eventId)) this.#append(pdu);
    return pdu;
  }

  pduOf(json: PduJson): Pdu {
    const eventId = eventIdOf(json, this.rules);
    return Pdu.from({ eventId, roomVersion: this.version, json });
  }

  /** Of one event; of several what the first says, and then the others. */
  stateAfter(eventIds: readonly EventId[]): State {
    const states = eventIds.map((id) => this.#statesAfter.get(id) ?? new Map());
    return new Map(states.reverse().flatMap((state) => [...state]));
  }

  stateEvents(eventIds: readonly EventId[] = this.heads): Pdu[] {
    return this.#known(this.stateAfter(eventIds).values());
  }

  current(type: string, stateKey = ''): Pdu | undefined {
    const id = this.stateAfter(this.heads).get(keyOf(type, stateKey));
    return id && this.events.get(id);
  }

  authChain(events: readonly Pdu[]): Pdu[] {
    const chain = new Map<EventId, Pdu>();
    const visit = (pdu: Pdu) => {
      for (const next of this.#known(this.#authEventsOf(pdu))) {
        if (chain.has(next.eventId)) continue;
        chain.set(next.eventId, next);
        visit(next);
      }
    };
    events.forEach(visit);
    return [...chain.values()];
  }

  /** Newest first, by prev_events. */
  before(from: readonly EventId[], limit: number): Pdu[] {
    const seen = new Set<EventId>();
    let row = [...from];
    while (row.length > 0 && seen.size < limit) {
      const known = this.#known(row.filter((id) => !seen.has(id)));
      for (const { eventId } of known) seen.add(eventId);
      row = known.flatMap((pdu) => pdu.prevEvents);
    }
    return this.#known([...seen].slice(0, limit));
  }

  /** What make_join and its like give, for a user of another server. */
  template(userId: string, content: JsonObject): JsonObject {
    const pdu = this.build({ type: 'm.room.member', sender: userId, stateKey: userId, content });
    const { signatures: _, hashes: __, ...json } = pdu.json;
    return json;
  }

  #authEventsOf(pdu: Pdu): readonly EventId[] {
    const create = this.rules.roomIdIsCreateEventId ? [`$${this.roomId.slice(1)}` as EventId] : [];
    return pdu.type === 'm.room.create' ? [] : [...pdu.authEvents, ...create];
  }

  #append(pdu: Pdu): void {
    const state = new Map(this.stateAfter(pdu.prevEvents));
    if (pdu.stateKey !== undefined) state.set(keyOf(pdu.type, pdu.stateKey), pdu.eventId);
    this.#keep(pdu, state);
    this.heads = [...this.heads.filter((id) => !pdu.prevEvents.includes(id)), pdu.eventId];
  }

  #keep(pdu: Pdu, stateAfter: State): void {
    this.events.set(pdu.eventId, pdu);
    if (stateAfter.size > 0) this.#statesAfter.set(pdu.eventId, stateAfter);
  }

  #known(ids: Iterable<EventId>): Pdu[] {
    return [...ids].flatMap((id) => this.events.get(id) ?? []);
  }
}
