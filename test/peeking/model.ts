// What devices that look into rooms must be shown, said as simply as can be: a room is a list of events, a look is a
// stretch of it, and a token is a place in both. Everything of a room is looked up anew from its beginning each time.

import assert from 'node:assert/strict';
import { type Any, types } from './scene.ts';

export interface ModelEvent {
  readonly id: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  /** `type` and state key; undefined for messages. */
  readonly key: string | undefined;
  readonly membership: string;
  /** In force at the event; of a change the more open of the two. */
  readonly visibility: string;
}

const CLOSED_FIRST = ['joined', 'shared', 'world_readable'];

/** A room as one who has been in it from its beginning knows it. */
export class ModelRoom {
  readonly roomId: string;
  readonly events: ModelEvent[] = [];
  #visibility = 'shared';
  #isEncrypted = false;

  constructor(roomId: string) {
    this.roomId = roomId;
  }

  get length(): number {
    return this.events.length;
  }

  get isPeekable(): boolean {
    return this.#visibility === 'world_readable' && !this.#isEncrypted;
  }

  add({ event_id: id, type, state_key: stateKey, content }: Any): void {
    const before = this.#visibility;
    if (type === 'm.room.history_visibility') this.#visibility = content.history_visibility;
    if (type === 'm.room.encryption') this.#isEncrypted = true;
    const visibility = [before, this.#visibility].reduce((one, other) =>
      CLOSED_FIRST.indexOf(one) > CLOSED_FIRST.indexOf(other) ? one : other,
    );
    const key = stateKey === undefined ? undefined : `${type} ${stateKey}`;
    this.events.push({ id, type, stateKey, key, membership: content.membership, visibility });
  }

  stateAt(end: number): Map<string, string> {
    const state = new Map<string, string>();
    for (const { key, id } of this.events.slice(0, end)) if (key !== undefined) state.set(key, id);
    return state;
  }

  /** What a looker is shown of a stretch: what she may see, and the state that holds at its end. */
  shown(userId: string, start: number, end: number): string[] {
    const current = new Set(this.stateAt(end).values());
    const own = this.memberships(userId, end);
    return this.events
      .map((event, at) => ({ ...event, at }))
      .slice(start, end)
      .filter((event) => current.has(event.id) || isVisible(event, userId, own))
      .map(({ id }) => id);
  }

  /** Where the user's membership changed, and into what, up to `end`. */
  memberships(userId: string, end = this.length): Change[] {
    const found: Change[] = [];
    this.events.slice(0, end).forEach(({ type, stateKey, membership }, at) => {
      if (type !== 'm.room.member' || stateKey !== userId) return;
      if (found.at(-1)?.membership !== membership) found.push({ at, membership });
    });
    return found;
  }
}

interface Change {
  readonly at: number;
  readonly membership: string;
}

/** By the rules for history visibility: who has been a member sees what she could see as such. */
function isVisible(
  { at, visibility, type, stateKey, membership }: ModelEvent & { readonly at: number },
  userId: string,
  own: readonly Change[],
): boolean {
  if (visibility === 'world_readable') return true;
  const before = own.findLast((change) => change.at < at)?.membership;
  const isOwn = type === 'm.room.member' && stateKey === userId;
  if (before === 'join' || (isOwn && membership === 'join')) return true;
  if (isOwn && before === 'invite' && membership !== 'invite') return true;
  if (visibility === 'joined') return false;
  return own.some((change) => change.at > at && change.membership === 'join');
}

/** One look of a device into a room: from the moment `begun` to `ended`, which shows the events up to `end`. */
interface Look {
  readonly begun: number;
  expiryTs: number;
  ended?: { readonly moment: number; readonly end: number };
}

/** What a device has been told. */
interface Told {
  readonly since: string;
  readonly moment: number;
  /** How long each room was. */
  readonly lengths: ReadonlyMap<ModelRoom, number>;
}

export interface Asked {
  readonly limit: number;
  readonly fullState: boolean;
  readonly useStateAfter: boolean;
  /** As if nothing had been told. */
  readonly fromScratch: boolean;
}

/** What the client believes of a room. */
interface Belief {
  section: 'peek' | 'join';
  readonly state: Map<string, string>;
}

interface Expected {
  /** Sections in which the room stands. */
  readonly sections: readonly string[];
  /** Of its timeline; undefined where that is not said here. */
  readonly timeline?: { readonly ids: readonly string[]; readonly limited: boolean };
  /** How far the response tells. */
  readonly end: number;
  /** Builds on what the device has: the state is not sent again. */
  readonly goesOn?: boolean;
}

export class ModelDevice {
  readonly name: string;
  readonly userId: string;
  told: Told | undefined;
  readonly #looks = new Map<ModelRoom, Look[]>();
  #beliefs = new Map<ModelRoom, Belief>();

  constructor(name: string, userId: string) {
    this.name = name;
    this.userId = userId;
  }

  activeLook(room: ModelRoom): Look | undefined {
    return this.#looks.get(room)?.findLast((look) => look.ended === undefined);
  }

  begin(room: ModelRoom, begun: number, expiryTs: number): void {
    const active = this.activeLook(room);
    if (active !== undefined) active.expiryTs = expiryTs;
    else this.#looks.set(room, [...(this.#looks.get(room) ?? []), { begun, expiryTs }]);
  }

  end(room: ModelRoom, moment: number, end = room.length): void {
    const active = this.activeLook(room);
    if (active !== undefined) active.ended = { moment, end };
  }

  expire(moment: number, now: number): void {
    for (const room of this.#looks.keys()) {
      if ((this.activeLook(room)?.expiryTs ?? now + 1) <= now) this.end(room, moment);
    }
  }

  /** Checks an answer against what it should be, and takes it over unless it is lost. */
  answer(
    rooms: Iterable<ModelRoom>,
    body: Any,
    asked: Asked,
    isLost: boolean,
    moment: number,
  ): void {
    const told = asked.fromScratch ? undefined : this.told;
    const beliefs = new Map<ModelRoom, Belief>();
    const lengths = new Map<ModelRoom, number>();
    for (const room of rooms) {
      const belief = told === undefined ? undefined : this.#beliefs.get(room);
      const next = this.#check(room, { body, asked, told, belief });
      if (next !== undefined) beliefs.set(room, next);
      lengths.set(room, room.length);
    }
    if (isLost) return;
    this.told = { since: body.next_batch, moment, lengths };
    this.#beliefs = beliefs;
  }

  #check(
    room: ModelRoom,
    of: { body: Any; asked: Asked; told: Told | undefined; belief: Belief | undefined },
  ): Belief | undefined {
    const { body, asked, told, belief } = of;
    const expected = this.#expected(room, told, asked);
    // An invite may stand beside anything that is no membership.
    const found = Object.keys(body.rooms ?? {}).filter(
      (name) => name !== 'invite' && body.rooms[name][room.roomId],
    );
    const [name] = found;
    const what = `${this.name} in ${room.roomId} (${expected.end} events)`;
    assert.deepEqual(found, expected.sections, what);
    const section = name && body.rooms[name][room.roomId];
    if (expected.timeline !== undefined) {
      const { events = [], limited = false } = section.timeline ?? {};
      const ids = events.map((event: Any) => event.event_id);
      assert.deepEqual({ ids, limited }, expected.timeline, `the timeline of ${what}`);
    }
    const told_in = expected.sections[0];
    if (told_in === undefined) return belief;
    if (told_in === 'leave') return undefined;
    const state = new Map(belief?.state);
    const key = asked.useStateAfter ? 'state_after' : 'state';
    if (expected.goesOn) assert.ok(!types(section, key).includes('m.room.create'), what);
    this.#applyState(section, state, asked);
    assert.deepEqual(sorted(state), sorted(room.stateAt(expected.end)), `the state of ${what}`);
    return { section: told_in as Belief['section'], state };
  }

  #applyState(section: Any, state: Map<string, string>, { useStateAfter }: Asked): void {
    const key = useStateAfter ? 'state_after' : 'state';
    assert.deepEqual(types(section, useStateAfter ? 'state' : 'state_after'), []);
    const events = [...section[key].events, ...(useStateAfter ? [] : section.timeline.events)];
    for (const { type, state_key, event_id } of events) {
      if (state_key !== undefined) state.set(`${type} ${state_key}`, event_id);
    }
  }

  #expected(room: ModelRoom, told: Told | undefined, asked: Asked): Expected {
    const end = room.length;
    const start = told?.lengths.get(room) ?? 0;
    const history = room.memberships(this.userId);
    const changes = history.filter(({ at }) => at >= start);
    const membership = history.at(-1)?.membership;
    if (membership === 'join') {
      const isNew = told === undefined || changes.length > 0 || asked.fullState || end > start;
      const wasJoined = room.memberships(this.userId, start).at(-1)?.membership === 'join';
      const stayed = wasJoined && changes.length === 0;
      const wasTold = told !== undefined && (stayed || this.#wasLooking(room, told.moment));
      return { sections: isNew ? ['join'] : [], end, goesOn: wasTold && !asked.fullState };
    }
    if (this.activeLook(room) !== undefined) return this.#lookedInto(room, told, asked);
    const isNews = told !== undefined && ['leave', 'ban'].includes(membership ?? '');
    if (isNews && changes.length > 0) return { sections: ['leave'], end };
    return this.#lookedAway(room, told, asked);
  }

  #lookedInto(room: ModelRoom, told: Told | undefined, { limit, fullState }: Asked): Expected {
    const end = room.length;
    const look = this.activeLook(room);
    const goesOn = told !== undefined && look !== undefined && look.begun <= told.moment;
    const ids = room.shown(this.userId, goesOn ? (told.lengths.get(room) ?? 0) : 0, end);
    if (goesOn && ids.length === 0 && !fullState) return { sections: [], end };
    const limited = ids.length > limit || (told !== undefined && !goesOn);
    const timeline = { ids: ids.slice(-limit), limited };
    return { sections: ['peek'], timeline, end, goesOn: goesOn && !fullState };
  }

  #wasLooking(room: ModelRoom, moment: number): boolean {
    return (this.#looks.get(room) ?? []).some(
      ({ begun, ended }) => begun <= moment && (ended === undefined || ended.moment > moment),
    );
  }

  #lookedAway(room: ModelRoom, told: Told | undefined, { limit }: Asked): Expected {
    const looks = this.#looks.get(room) ?? [];
    const { ended } = looks.at(-1) ?? {};
    if (told === undefined || ended === undefined || ended.moment <= told.moment) {
      return { sections: [], end: room.length };
    }
    const start = told.lengths.get(room) ?? 0;
    const ids = this.#wasLooking(room, told.moment)
      ? room.shown(this.userId, start, ended.end)
      : [];
    const timeline = { ids: ids.slice(-limit), limited: ids.length > limit };
    return { sections: ['leave'], timeline, end: ended.end };
  }
}

function sorted(state: ReadonlyMap<string, string>): [string, string][] {
  return [...state].sort(([one], [other]) => (one < other ? -1 : 1));
}
