// The peer as the server that looks: asks in the words of a dialect, reads the answer as strictly as that dialect's
// implementation does, and keeps what is relayed from then on.

import type { Dialect } from './dialects.ts';
import { idOf } from './events.ts';
import type { Json } from './json.ts';

/** What a peeker has learned of a room from the answer to PUT. */
export interface Snapshot {
  readonly renewalInterval: number;
  readonly heads: readonly string[];
  /** Ids by type and state key, of the state after all heads; undefined: it has to be resolved first. */
  readonly state: ReadonlyMap<string, string> | undefined;
  readonly events: ReadonlyMap<string, Json>;
  /** By head. */
  readonly statesAfter: ReadonlyMap<string, readonly string[]>;
}

const ULID = '01HF7YAT00TESTTESTTESTTEST';

/** As each of them makes it. */
export function newPeekId(dialect: Dialect, roomId: string): string {
  if (dialect === 'dendrite') return roomId;
  return dialect === 'palpo' ? `peek_${ULID}` : 'p=1._-Zz';
}

export function peekUri(roomId: string, peekId: string): string {
  return `/_matrix/federation/v1/peek/${encodeURIComponent(roomId)}/${encodeURIComponent(peekId)}`;
}

/** The query of PUT: Palpo does not name its versions. */
export function versionQuery(dialect: Dialect): string {
  return dialect === 'palpo' ? '' : '?ver=10&ver=11&ver=12';
}

/** Throws where the implementation would fail to decode, or the answer contradicts itself. */
export function readSnapshot(dialect: Dialect, answer: Json): Snapshot {
  const renewalInterval = whole(answer.renewal_interval);
  if (dialect === 'msc2444') return { ...readMsc(answer), renewalInterval };
  if (typeof answer.room_version !== 'string') throw new Error('room_version is missing');
  const state = eventsOf(answer, 'state');
  const authChain = eventsOf(answer, 'auth_chain');
  const latest =
    dialect === 'dendrite' ? [objectOf(answer, 'latest_event')] : eventsOf(answer, 'messages');
  const events = new Map([...state, ...authChain, ...latest].map((event) => [idOf(event), event]));
  const byKey = new Map(state.map((event) => [`${event.type} ${event.state_key}`, idOf(event)]));
  checkAuthChains(events, [...byKey.values()]);
  const referred = new Set(latest.flatMap((event) => event.prev_events));
  const heads = latest.map(idOf).filter((id) => !referred.has(id));
  return { renewalInterval, heads, state: byKey, events, statesAfter: new Map() };
}

function readMsc(answer: Json): Omit<Snapshot, 'renewalInterval'> {
  const latest = objectOf(answer, 'latest_event_state_ids');
  const common = idsOf(answer.common_state_ids);
  const listed = eventsOf(answer, 'events');
  const events = new Map(listed.map((event) => [idOf(event), event]));
  if (events.size !== listed.length) throw new Error('events are listed twice');
  const statesAfter = new Map(
    Object.entries(latest).map(([head, ids]) => [head, [...common, ...idsOf(ids)]]),
  );
  const heads = [...statesAfter.keys()];
  if (heads.length === 0) throw new Error('there is no latest event');
  const wanted = new Set([...heads, ...[...statesAfter.values()].flat()]);
  const reached = checkAuthChains(events, [...wanted]);
  const others = [...events.keys()].filter((id) => !reached.has(id));
  if (others.length > 0) throw new Error(`nothing refers to ${others.join(', ')}`);
  const [only, more] = [...statesAfter.values()];
  const state = more === undefined ? byKeyOf(events, only ?? []) : undefined;
  return { heads, state, events, statesAfter };
}

function byKeyOf(events: ReadonlyMap<string, Json>, ids: readonly string[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const id of ids) {
    const { type, state_key: key } = events.get(id);
    if (key === undefined) throw new Error(`${id} is no state event`);
    if (state.has(`${type} ${key}`)) throw new Error(`${type} ${key} stands twice in the state`);
    state.set(`${type} ${key}`, id);
  }
  return state;
}

/** All that is reached from the ids, which has to be there whole. */
function checkAuthChains(events: ReadonlyMap<string, Json>, ids: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (id: string) => {
    if (reached.has(id)) return;
    const event = events.get(id);
    if (event === undefined) throw new Error(`${id} is referred to and not there`);
    reached.add(id);
    event.auth_events.forEach(visit);
  };
  ids.forEach(visit);
  return reached;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0) throw new Error(`no interval: ${value}`);
  return Number(value);
}

function idsOf(value: unknown): string[] {
  if (Array.isArray(value) && value.every((id) => /^\$/.test(id))) return value;
  throw new Error(`no list of event ids: ${JSON.stringify(value)}`);
}

function eventsOf(answer: Json, name: string): Json[] {
  const value = answer[name];
  if (Array.isArray(value) && value.every((one) => typeof one === 'object')) return value;
  throw new Error(`${name} is no list of events`);
}

function objectOf(answer: Json, name: string): Json {
  const value = answer[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Error(`${name} is no object`);
}
