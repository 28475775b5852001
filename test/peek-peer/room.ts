// A room as the peer keeps it: events, what each refers to, and the state after each. It judges nothing.

import { randomBytes } from 'node:crypto';
import { finished, idOf, type PeerRoomVersion, roomIdOf, serverOf } from './events.ts';
import type { Json } from './json.ts';
import type { PeerKey } from './signing.ts';

export interface Author {
  readonly name: string;
  readonly key: PeerKey;
}

export interface NewEvent {
  readonly type: string;
  readonly stateKey?: string;
  readonly content: Json;
  /** Absent: the heads. */
  readonly after?: readonly string[];
}

type State = ReadonlyMap<string, string>;
const keyOf = ({ type, state_key }: Json) => `${type} ${state_key}`;

export class PeerRoom {
  readonly version: PeerRoomVersion;
  readonly events = new Map<string, Json>();
  readonly #statesAfter = new Map<string, State>();
  /** Ids of the events that none comes after yet. */
  heads: string[] = [];
  roomId: string;

  constructor(version: PeerRoomVersion, server: string) {
    this.version = version;
    this.roomId = version === '12' ? '' : `!${randomBytes(9).toString('base64url')}:${server}`;
  }

  /** With its creator in it, open to whoever wants to look. */
  static open(version: PeerRoomVersion, author: Author, sender: string): PeerRoom {
    const room = new PeerRoom(version, author.name);
    const set = (type: string, content: Json, stateKey = '') =>
      room.add(author, sender, { type, content, stateKey });
    // In version 12 two rooms that begin alike are one.
    const nonce = randomBytes(9).toString('base64url');
    const create = set('m.room.create', { room_version: version, nonce });
    room.roomId = roomIdOf(create);
    set('m.room.member', { membership: 'join' }, sender);
    set('m.room.power_levels', { users: version === '12' ? {} : { [sender]: 100 } });
    set('m.room.join_rules', { join_rule: 'public' });
    set('m.room.history_visibility', { history_visibility: 'world_readable' });
    return room;
  }

  /** A new event of one of the author's users, which becomes the head. */
  add(author: Author, sender: string, event: NewEvent): Json {
    const { type, stateKey, content, after = this.heads } = event;
    const isUnnamed = this.version === '12' && type === 'm.room.create';
    const depths = after.map((id) => this.event(id).depth);
    const built = {
      ...(!isUnnamed && { room_id: this.roomId }),
      ...(stateKey !== undefined && { state_key: stateKey }),
      ...{ type, sender, content },
      auth_events: this.#authEvents(event, sender, this.stateAfter(after)),
      prev_events: [...after],
      depth: 1 + Math.max(0, ...depths),
      origin_server_ts: 1_700_000_000_000 + this.events.size,
    };
    const event_ = finished(built, author.name, author.key);
    this.keep(event_);
    return event_;
  }

  event(id: string): Json {
    const event = this.events.get(id);
    if (event === undefined) throw new Error(`no event ${id}`);
    return event;
  }

  keep(event: Json): void {
    const id = idOf(event);
    if (this.events.has(id)) return;
    const state = new Map(this.stateAfter(event.prev_events));
    if (event.state_key !== undefined) state.set(keyOf(event), id);
    this.events.set(id, event);
    this.#statesAfter.set(id, state);
    this.heads = [...this.heads.filter((head) => !event.prev_events.includes(head)), id];
  }

  /** Of several events: what the later ones say, and then the earlier. */
  stateAfter(ids: readonly string[]): State {
    const states = ids.map((id) => this.#statesAfter.get(id) ?? new Map<string, string>());
    return new Map(states.flatMap((state) => [...state]));
  }

  current(type: string, stateKey = ''): Json {
    const id = this.stateAfter(this.heads).get(`${type} ${stateKey}`);
    return id === undefined ? undefined : this.event(id);
  }

  get isOpen(): boolean {
    const visibility = this.current('m.room.history_visibility');
    return visibility?.content.history_visibility === 'world_readable';
  }

  /** Of the events, without themselves. */
  authChain(ids: Iterable<string>): string[] {
    const chain = new Set<string>();
    const visit = (id: string) => {
      for (const cited of this.event(id).auth_events) {
        if (chain.has(cited)) continue;
        chain.add(cited);
        visit(cited);
      }
    };
    for (const id of ids) visit(id);
    return [...chain];
  }

  /** The events and what comes before them, newest first. */
  before(ids: readonly string[], limit: number): Json[] {
    const found = new Map<string, Json>();
    let row = [...ids];
    while (row.length > 0 && found.size < limit) {
      for (const id of row) found.set(id, this.event(id));
      row = row.flatMap((id) => this.event(id).prev_events).filter((id) => !found.has(id));
    }
    return [...found.values()].slice(0, limit);
  }

  #authEvents({ type, stateKey, content }: NewEvent, sender: string, state: State): string[] {
    if (type === 'm.room.create') return [];
    const wanted = ['m.room.power_levels ', `m.room.member ${sender}`];
    if (this.version !== '12') wanted.push('m.room.create ');
    if (type === 'm.room.member') {
      wanted.push(`m.room.member ${stateKey}`);
      if (content.membership === 'join') wanted.push('m.room.join_rules ');
    }
    return [...new Set(wanted.flatMap((key) => state.get(key) ?? []))];
  }
}

export function isBy(event: Json, server: string): boolean {
  return serverOf(event.sender) === server;
}
