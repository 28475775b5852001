// The algorithm of room version 1: passes over power levels, join rules, members and the rest.
// Keys of one pass do not see each other's results, so that their order has no influence.

import { createHash } from 'node:crypto';
import type { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import { isAllowed } from './iterative-auth-checks.ts';
import type { ResolutionInput } from './resolution.ts';
import { parseStateKey, type StateKey, type StateMap, stateKeyOf } from './state-key.ts';

/** What is resolved one pass after the other, before all else. */
const PASSES: readonly ((conflict: Conflict) => boolean)[] = [
  ([key]) => key === stateKeyOf('m.room.power_levels', ''),
  ([key]) => parseStateKey(key).type === 'm.room.join_rules',
  ([key]) => parseStateKey(key).type === 'm.room.member',
];

export function resolveV1(input: ResolutionInput): StateMap {
  const resolved = new Map<StateKey, EventId>();
  for (const [key, ids] of input.conflicted) {
    // A key that has but one event, and is missing in some states, is no conflict here.
    if (ids.length === 1 && ids[0] !== undefined) resolved.set(key, ids[0]);
  }
  const conflicts = [...input.conflicted].filter(([, ids]) => ids.length > 1);
  for (const isOfPass of PASSES) {
    resolvePass(conflicts.filter(isOfPass), { resolved, input, pick: pickAuthEvent });
  }
  const rest = conflicts.filter((conflict) => !PASSES.some((isOfPass) => isOfPass(conflict)));
  resolvePass(rest, { resolved, input, pick: pickOtherEvent });
  return resolved;
}

type Conflict = readonly [StateKey, readonly EventId[]];

interface Pass {
  /** What is resolved so far; added to after the pass. */
  readonly resolved: Map<StateKey, EventId>;
  readonly input: ResolutionInput;
  /** Picks the event of a key from its candidates, the earliest first. */
  readonly pick: (candidates: readonly Pdu[], room: Room) => Pdu | undefined;
}

/** Whether an event is allowed in the room's state R, of which its own key may have another value. */
type Room = (event: Pdu, own?: Pdu) => boolean;

function resolvePass(conflicts: readonly Conflict[], { resolved, input, pick }: Pass): void {
  const room: Room = (event, own) =>
    isAllowed(
      event,
      (type, stateKey) => {
        if (own?.type === type && own.stateKey === stateKey) return own;
        const key = stateKeyOf(type, stateKey);
        const id = resolved.get(key) ?? input.unconflicted(key);
        return id === undefined ? undefined : input.event(id);
      },
      input,
    );

  const picked = conflicts.map(([key, ids]) => ({
    key,
    event: pick(earliestFirst(ids, input), room),
  }));
  for (const { key, event } of picked) {
    if (event !== undefined) resolved.set(key, event.eventId);
  }
}

/** The first one counts without question; each later one replaces it until one is not allowed. */
function pickAuthEvent(candidates: readonly Pdu[], room: Room): Pdu | undefined {
  let picked = candidates[0];
  for (const event of candidates.slice(1)) {
    if (!room(event, picked)) break;
    picked = event;
  }
  return picked;
}

/**
 * The latest one that is allowed. The specification does not say what counts when none is: like other
 * homeservers, the earliest.
 */
function pickOtherEvent(candidates: readonly Pdu[], room: Room): Pdu | undefined {
  return candidates.findLast((event) => room(event)) ?? candidates[0];
}

/** By ascending depth, then descending SHA-1 of the event id. */
function earliestFirst(ids: readonly EventId[], input: ResolutionInput): readonly Pdu[] {
  return ids
    .map((id) => ({ event: input.event(id), sha1: createHash('sha1').update(id).digest('hex') }))
    .sort((x, y) => x.event.depth - y.event.depth || (x.sha1 < y.sha1 ? 1 : -1))
    .map(({ event }) => event);
}
