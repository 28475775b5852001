// For tests: a room's event graph, grown by sending events onto any of its ends. Each event is authorized by
// the resolved state before it, as in a server.

import { authTypesFor } from '../auth/auth-types.ts';
import { authorizeAgainstState } from '../auth/authorize.ts';
import { CREATOR, type EventSpec, ruleOf, TestRoom } from '../auth/test-room.ts';
import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import type { ResolutionDeps } from './resolution.ts';
import { resolveStateMaps } from './resolve.ts';
import { type StateMap, stateKeyOf } from './state-key.ts';

export interface DagEvent
  extends Pick<EventSpec, 'type' | 'sender' | 'content' | 'stateKey' | 'ts'> {
  /** Without sigil and server. */
  readonly name: string;
  /** Names; the last event sent when absent. */
  readonly after?: readonly string[];
}

export class TestDag {
  readonly room: TestRoom;
  readonly events = new Map<EventId, Pdu>();
  readonly rejected = new Set<EventId>();
  readonly #stateAfter = new Map<EventId, StateMap>();
  #last: EventId;
  #clock = 1;

  constructor(version: RoomVersionId) {
    this.room = new TestRoom(version);
    this.#last = this.room.create.eventId;
    this.events.set(this.#last, this.room.create);
    this.#stateAfter.set(this.#last, new Map([[stateKeyOf('m.room.create', ''), this.#last]]));
  }

  /** Created, joined by the creator, with power levels for them, and public. */
  static founded(version: RoomVersionId, users: JsonObject = {}): TestDag {
    const dag = new TestDag(version);
    dag.member('creator', [CREATOR, 'join']);
    dag.levels('levels', { ...dag.creatorLevel(), ...users });
    dag.send({
      name: 'public',
      type: 'm.room.join_rules',
      stateKey: '',
      content: { join_rule: 'public' },
    });
    return dag;
  }

  /** What the users of power levels say of the creator, where they have to. */
  creatorLevel(): JsonObject {
    return this.room.rules.privilegedCreators ? {} : { [CREATOR]: 100 };
  }

  get deps(): ResolutionDeps {
    return {
      rules: this.room.rules,
      event: this.event,
      isRejected: (id) => this.rejected.has(id),
    };
  }

  /** Throws for what it does not know, as resolution may expect. */
  readonly event = (id: EventId): Pdu => {
    const event = this.events.get(id);
    if (event === undefined) throw new Error(`no event ${id}`);
    return event;
  };

  /** Throws when the rules refuse the event. */
  send(event: DagEvent): Pdu {
    const sent = this.trySend(event);
    if (typeof sent === 'string') throw new Error(`${event.name} is refused by rule ${sent}`);
    return sent;
  }

  /** The event, or the number of the rule that refuses it. */
  trySend(event: DagEvent): Pdu | string {
    const { pdu, before } = this.#build(event);
    const lookup = (type: string, stateKey: string) => this.eventIn(before, type, stateKey);
    const verdict = authorizeAgainstState(pdu, lookup, {
      rules: this.room.rules,
      create: this.room.create,
      isSignedBy: () => true,
    });
    if (!verdict.allowed) return ruleOf(verdict);
    this.#add(pdu, before);
    return pdu;
  }

  /** A state event that nobody has checked, with the auth events named; it has no place in the graph. */
  forge(
    event: Omit<DagEvent, 'after'> & { readonly auth: readonly string[]; readonly depth?: number },
  ): Pdu {
    const { name, auth, ...spec } = event;
    const pdu = this.room.event({ stateKey: '', ...spec, id: idOf(name), auth: auth.map(idOf) });
    this.events.set(pdu.eventId, pdu);
    return pdu;
  }

  /** By the user; `more` can have another sender. */
  member(
    name: string,
    [user, membership]: readonly [string, string],
    more?: Partial<DagEvent>,
  ): Pdu {
    const type = 'm.room.member';
    return this.send({
      name,
      type,
      stateKey: user,
      sender: user,
      content: { membership },
      ...more,
    });
  }

  levels(name: string, users: JsonObject, more: Partial<DagEvent> = {}): Pdu {
    const content = { users };
    return this.send({ name, type: 'm.room.power_levels', stateKey: '', content, ...more });
  }

  topic(name: string, sender: string, more: Partial<DagEvent> = {}): Pdu {
    const content = { topic: name };
    return this.send({ name, type: 'm.room.topic', stateKey: '', sender, content, ...more });
  }

  eventIn(state: StateMap, type: string, stateKey = ''): Pdu | undefined {
    const id = state.get(stateKeyOf(type, stateKey));
    return id === undefined ? undefined : this.event(id);
  }

  stateAfter(name: string): StateMap {
    const state = this.#stateAfter.get(idOf(name));
    if (state === undefined) throw new Error(`no event ${name}`);
    return state;
  }

  /** The state before an event that would follow on these. */
  merge(...names: readonly string[]): StateMap {
    return resolveStateMaps(
      names.map((name) => this.stateAfter(name)),
      this.deps,
    );
  }

  #build(event: DagEvent) {
    const prev = event.after?.map(idOf) ?? [this.#last];
    const states = prev.map((id) => this.#stateAfter.get(id) ?? new Map());
    const before = resolveStateMaps(states, this.deps);
    const sender = event.sender ?? CREATOR;
    const subject = { ...event, stateKey: event.stateKey, sender, content: event.content ?? {} };
    const auth = authTypesFor(subject, this.room.rules)
      .map(({ type, stateKey }) => before.get(stateKeyOf(type, stateKey)))
      .filter((id) => id !== undefined);
    const pdu = this.room.event({
      ...event,
      id: idOf(event.name),
      prev,
      auth,
      depth: 1 + Math.max(...prev.map((id) => this.event(id).depth)),
      ts: event.ts ?? this.#clock++,
    });
    return { pdu, before };
  }

  #add(pdu: Pdu, before: StateMap): void {
    const after = new Map(before);
    if (pdu.stateKey !== undefined) after.set(stateKeyOf(pdu.type, pdu.stateKey), pdu.eventId);
    this.events.set(pdu.eventId, pdu);
    this.#stateAfter.set(pdu.eventId, after);
    this.#last = pdu.eventId;
  }
}

export function idOf(name: string): EventId {
  return `$${name}:home.org` as EventId;
}

export function nameOf(id: EventId | undefined): string | undefined {
  return id?.slice(1, -':home.org'.length);
}

/** A state in which these events were put last. */
export function withEvents(state: StateMap, events: readonly Pdu[]): StateMap {
  const pairs = events.map(
    (event) => [stateKeyOf(event.type, event.stateKey ?? ''), event.eventId] as const,
  );
  return new Map([...state, ...pairs]);
}
