// For tests: a small room whose state is written down in a few words, and tables of what its rules say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pdu } from '../events/pdu.ts';
import type { EventId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { RoomVersionId, RoomVersionRules } from '../roomversions/room-version.ts';
import { rulesOf } from '../roomversions/table.ts';
import { authorizeAgainstState } from './authorize.ts';
import type { StateLookup } from './state-lookup.ts';
import type { Verdict } from './verdict.ts';

/** Creator (level 100, or above all), moderator (50), member (0), and people who were never there. */
export const CREATOR = '@creator:home.org';
export const MODERATOR = '@moderator:home.org';
export const MEMBER = '@member:home.org';
export const STRANGER = '@stranger:home.org';
export const FOREIGNER = '@foreigner:away.org';

export interface EventSpec {
  readonly id?: string;
  readonly type: string;
  readonly stateKey?: string;
  readonly sender?: string;
  readonly content?: JsonObject;
  readonly prev?: readonly string[];
  readonly auth?: readonly string[];
  readonly depth?: number;
  readonly ts?: number;
  readonly roomId?: string;
  readonly redacts?: string;
}

/** What is the id of the n-th event by default. */
function defaultId(n: number): string {
  return `$event${n}:home.org`;
}

export class TestRoom {
  readonly rules: RoomVersionRules;
  readonly create: Pdu;
  /** Servers whose signature the events carry. */
  readonly signers = new Set<string>();
  #count = 0;
  readonly #state = new Map<string, Pdu>();

  constructor(version: RoomVersionId, createContent: JsonObject = {}) {
    this.rules = rulesOf(version);
    const creator = this.rules.implicitCreator ? {} : { creator: CREATOR };
    const content = { room_version: version, ...creator, ...createContent };
    this.create = this.event({
      id: '$create:home.org',
      type: 'm.room.create',
      stateKey: '',
      content,
    });
    this.#state.set('m.room.create ', this.create);
  }

  /** With the four users, public join rules and power levels. */
  static furnished(version: RoomVersionId): TestRoom {
    const room = new TestRoom(version);
    const creator = room.rules.privilegedCreators ? {} : { [CREATOR]: 100 };
    room.setLevels({ users: { ...creator, [MODERATOR]: 50 } });
    room.setJoinRule('public');
    for (const user of [CREATOR, MODERATOR, MEMBER]) room.setMembership(user, 'join');
    return room;
  }

  /** An event of this room that is in no state. */
  event(spec: EventSpec): Pdu {
    const { rules } = this;
    const isV1 = rules.eventFormat === 'v1';
    const refer = (ids: readonly string[]) => (isV1 ? ids.map((id) => [id, {}]) : ids);
    const hasRoomId = spec.type !== 'm.room.create' || !rules.roomIdIsCreateEventId;
    const id = spec.id ?? defaultId(this.#count++);
    const roomId = spec.roomId ?? (hasRoomId ? this.roomId : undefined);
    const json = {
      type: spec.type,
      sender: spec.sender ?? CREATOR,
      content: spec.content ?? {},
      depth: spec.depth ?? 1,
      origin_server_ts: spec.ts ?? 1,
      prev_events: refer(spec.prev ?? []),
      auth_events: refer(spec.auth ?? []),
      ...(spec.stateKey === undefined ? {} : { state_key: spec.stateKey }),
      ...(spec.redacts === undefined ? {} : { redacts: spec.redacts }),
      ...(roomId === undefined ? {} : { room_id: roomId }),
    };
    return Pdu.from({ eventId: id as EventId, roomVersion: rules.id, json });
  }

  get roomId(): string {
    return this.rules.roomIdIsCreateEventId ? '!create:home.org' : '!room:home.org';
  }

  /** Makes a state event and puts it into the state, without asking the rules. */
  set(spec: EventSpec & { readonly stateKey: string }): Pdu {
    const event = this.event(spec);
    this.#state.set(`${spec.type} ${spec.stateKey}`, event);
    return event;
  }

  setMembership(user: string, membership: string): Pdu {
    const content = { membership };
    return this.set({ type: 'm.room.member', stateKey: user, sender: user, content });
  }

  setJoinRule(rule: string): Pdu {
    return this.set({ type: 'm.room.join_rules', stateKey: '', content: { join_rule: rule } });
  }

  setLevels(content: JsonObject): Pdu {
    return this.set({ type: 'm.room.power_levels', stateKey: '', content });
  }

  unset(type: string, stateKey: string): void {
    this.#state.delete(`${type} ${stateKey}`);
  }

  readonly lookup: StateLookup = (type, stateKey) => this.#state.get(`${type} ${stateKey}`);

  authorize(spec: EventSpec): Verdict {
    return authorizeAgainstState(this.event(spec), this.lookup, {
      rules: this.rules,
      create: this.lookup('m.room.create', ''),
      isSignedBy: (server) => this.signers.has(server),
    });
  }
}

/** Something that happens in a furnished room, and the rule that refuses it, by room version. */
export interface RuleCase {
  readonly name: string;
  readonly event: EventSpec | ((room: TestRoom) => EventSpec);
  readonly state?: (room: TestRoom) => void;
  /** From ranges of room versions, such as `1-5`, to the number of the rule, or to `allowed`. */
  readonly verdict: Readonly<Record<string, string>>;
}

/** Registers a test of each case. */
export function testRules(cases: readonly RuleCase[]): void {
  for (const { name, event, state, verdict } of cases) {
    test(name, () => {
      for (const [range, expected] of Object.entries(verdict)) {
        for (const version of versionsIn(range)) {
          const room = TestRoom.furnished(version);
          state?.(room);
          const actual = room.authorize(typeof event === 'function' ? event(room) : event);
          assert.equal(ruleOf(actual), expected, `room version ${version}`);
        }
      }
    });
  }
}

export function ruleOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.rule;
}

export function versionsIn(range: string): RoomVersionId[] {
  const [first, last = first] = range.split('-').map(Number);
  if (first === undefined || last === undefined) throw new Error(`not a range: ${range}`);
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}` as RoomVersionId);
}
