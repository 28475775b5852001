// For tests: state resolution v2 and v2.1 as the specification words it, with no thought for speed.
// Shares with the real one only the authorization rules.
//
// "The auth chain", "the DAG formed by auth events": in v2 a path may leave the full conflicted set and come
// back. Homeservers do not follow such paths, and the state resets that this can lead to are what the
// conflicted state subgraph of v2.1 ends, where no path leaves the set. So v2 is read without them here, too,
// and v2.1 with them.

import { authorizeAgainstState } from '../auth/authorize.ts';
import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { type StateKey, type StateMap, stateKeyOf } from './state-key.ts';
import type { TestDag } from './test-dag.ts';

export class NaiveResolution {
  readonly #dag: TestDag;
  readonly #states: readonly StateMap[];
  readonly #chains = new Map<EventId, ReadonlySet<EventId>>();

  constructor(states: readonly StateMap[], dag: TestDag) {
    this.#states = states;
    this.#dag = dag;
  }

  resolve(): StateMap {
    const { unconflicted, conflicted } = this.#separate();
    const isV21 = this.#dag.room.rules.stateResolution === 'v2.1';
    const subgraph = isV21 ? this.subgraph(conflicted) : new Set<EventId>();
    const full = conflicted.union(this.difference()).union(subgraph);
    const chosen = new Set<EventId>();
    for (const id of full) {
      if (isPower(this.#dag.event(id)))
        for (const far of this.#chainWithin(full, id)) chosen.add(far);
    }
    const powerEvents = this.#eventsOf(chosen);
    const start = isV21 ? new Map() : new Map(unconflicted);
    const partial = this.#applyAll(start, this.topologicalOrder(powerEvents));

    const rest = this.#eventsOf(full.difference(chosen));
    const levels = partial.get(stateKeyOf('m.room.power_levels', ''));
    const result = this.#applyAll(partial, this.#mainlineOrder(rest, levels));
    for (const [key, id] of unconflicted) result.set(key, id);
    return result;
  }

  /** The event itself and its auth chain. */
  chain(id: EventId): ReadonlySet<EventId> {
    const known = this.#chains.get(id);
    if (known !== undefined) return known;
    const chain = new Set([id]);
    for (const next of this.#dag.event(id).authEvents) {
      for (const far of this.chain(next)) chain.add(far);
    }
    this.#chains.set(id, chain);
    return chain;
  }

  #chainWithin(set: ReadonlySet<EventId>, id: EventId): ReadonlySet<EventId> {
    if (this.#followsAll()) return this.chain(id).intersection(set);
    const next = this.#dag.event(id).authEvents.filter((cited) => set.has(cited));
    return new Set([id, ...next.flatMap((cited) => [...this.#chainWithin(set, cited)])]);
  }

  #followsAll(): boolean {
    return this.#dag.room.rules.stateResolution === 'v2.1';
  }

  difference(): Set<EventId> {
    const chains = this.#states.map(
      (state) => new Set([...state.values()].flatMap((id) => [...this.chain(id)])),
    );
    const union = chains.reduce((all, chain) => all.union(chain));
    return union.difference(chains.reduce((all, chain) => all.intersection(chain)));
  }

  subgraph(conflicted: ReadonlySet<EventId>): Set<EventId> {
    const isBetween = (id: EventId) =>
      !this.chain(id).isDisjointFrom(conflicted) &&
      [...conflicted].some((from) => this.chain(from).has(id));
    return new Set([...this.#dag.events.keys()].filter(isBetween));
  }

  /** Again and again the smallest of those that depend on nothing which is still waiting. */
  topologicalOrder(events: readonly Pdu[]): Pdu[] {
    const waiting = new Set(events.map(({ eventId }) => eventId));
    const ordered: Pdu[] = [];
    while (waiting.size > 0) {
      const free = events.filter(
        ({ eventId }) => waiting.has(eventId) && this.#chainWithin(waiting, eventId).size === 1,
      );
      const [next] = free.sort(
        (x, y) => compare(this.#senderLevel(y), this.#senderLevel(x)) || compareByAge(x, y),
      );
      if (next === undefined) throw new Error('auth events in a circle');
      ordered.push(next);
      waiting.delete(next.eventId);
    }
    return ordered;
  }

  #separate() {
    const unconflicted = new Map<StateKey, EventId>();
    const conflicted = new Set<EventId>();
    for (const state of this.#states) {
      for (const [key, id] of state) {
        if (this.#states.every((other) => other.get(key) === id)) unconflicted.set(key, id);
        else conflicted.add(id);
      }
    }
    return { unconflicted, conflicted };
  }

  #eventsOf(ids: ReadonlySet<EventId>): Pdu[] {
    return [...ids].map(this.#dag.event);
  }

  #cited(event: Pdu, type: string): Pdu | undefined {
    return event.authEvents.map(this.#dag.event).find((cited) => cited.type === type);
  }

  #senderLevel(event: Pdu): number {
    const { rules, create } = this.#dag.room;
    if (rules.privilegedCreators && create.sender === event.sender) return Infinity;
    const levels = this.#cited(event, 'm.room.power_levels');
    if (levels === undefined) return create.sender === event.sender ? 100 : 0;
    return (levels.content.users as Record<string, number> | undefined)?.[event.sender] ?? 0;
  }

  #mainlineOrder(events: readonly Pdu[], levels: EventId | undefined): Pdu[] {
    const mainline: EventId[] = [];
    let next = levels === undefined ? undefined : this.#dag.event(levels);
    for (; next !== undefined; next = this.#cited(next, 'm.room.power_levels')) {
      mainline.push(next.eventId);
    }
    const position = (event: Pdu): number => {
      const cited = this.#cited(event, 'm.room.power_levels');
      if (cited === undefined) return Infinity;
      const i = mainline.indexOf(cited.eventId);
      return i === -1 ? position(cited) : i;
    };
    return events.toSorted((x, y) => compare(position(y), position(x)) || compareByAge(x, y));
  }

  #applyAll(start: ReadonlyMap<StateKey, EventId>, events: readonly Pdu[]) {
    const state = new Map(start);
    const { rules, create } = this.#dag.room;
    for (const event of events) {
      const lookup = (type: string, stateKey: string) => {
        const id = state.get(stateKeyOf(type, stateKey));
        const cited = event.authEvents.map(this.#dag.event);
        return id === undefined
          ? cited.find((other) => other.type === type && other.stateKey === stateKey)
          : this.#dag.event(id);
      };
      const context = { rules, create, isSignedBy: () => true };
      if (!authorizeAgainstState(event, lookup, context).allowed) continue;
      state.set(stateKeyOf(event.type, event.stateKey ?? ''), event.eventId);
    }
    return state;
  }
}

function isPower({ type, content, sender, stateKey }: Pdu): boolean {
  if (type !== 'm.room.member') return ['m.room.power_levels', 'm.room.join_rules'].includes(type);
  return ['leave', 'ban'].includes(content.membership as string) && sender !== stateKey;
}

function compare(x: number | string, y: number | string): number {
  if (x === y) return 0;
  return x < y ? -1 : 1;
}

function compareByAge(x: Pdu, y: Pdu): number {
  return compare(x.originServerTs, y.originServerTs) || compare(x.eventId, y.eventId);
}
