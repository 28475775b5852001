// What a looker may know of rooms, from a handful of state events of each.

import { LRUCache } from 'lru-cache';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import {
  readAllowedRooms,
  readAvatarUrl,
  readCanonicalAlias,
  readCreate,
  readGuestsCanJoin,
  readJoinRule,
  readRoomName,
  readText,
  readTopic,
} from '../../protocol/events/content.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import { type HistoryVisibility, isWorldReadable } from '../../protocol/visibility.ts';
import type { PublicRoom, RoomSummary } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { rootsOf } from '../state/snapshot.ts';

export interface SummarySource {
  readonly roomId: RoomId;
  readonly currentState: StateSnapshotId;
  readonly joinedMembers: number;
  readonly visibility: HistoryVisibility;
}

type Context = Pick<RoomserverContext, 'states' | 'events'>;

const TYPES = [
  'm.room.create',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.canonical_alias',
  'm.room.join_rules',
  'm.room.guest_access',
  'm.room.encryption',
] as const;

type Type = (typeof TYPES)[number];
type Ids = ReadonlyMap<Type, EventId>;

const MAX_CACHED = 20_000;

export class RoomSummaries {
  readonly #context: Context;
  /** By the id of the state without members, which is what it follows from. */
  readonly #ids = new LRUCache<string, Ids>(entries(MAX_CACHED));

  constructor(context: Context) {
    this.#context = context;
  }

  /** In the order given; the events of all rooms are read together. */
  async of(sources: readonly SummarySource[]): Promise<PublicRoom[]> {
    const ids = await Promise.all(sources.map((source) => this.#idsOf(source)));
    const wanted: EventId[] = [];
    for (const found of ids) wanted.push(...found.values());
    const loaded = await this.#context.events.load(wanted);
    return sources.map((source, i) => summaryOf(source, contentsOf(ids[i] as Ids, loaded)));
  }

  async detailed(head: RoomHead): Promise<RoomSummary> {
    const ids = await this.#idsOf(head);
    const contents = contentsOf(ids, await this.#context.events.load([...ids.values()]));
    const allowed = allowedRooms(contents('m.room.join_rules'), rulesOf(head.roomVersion));
    const encryption = readText(contents('m.room.encryption'), 'algorithm');
    return {
      ...summaryOf(head, contents),
      ...(allowed.length > 0 && { allowed_room_ids: allowed }),
      ...(encryption !== undefined && { encryption }),
      room_version: head.roomVersion,
    };
  }

  #idsOf(source: SummarySource): Ids | Promise<Ids> {
    const { rest } = rootsOf(source.currentState);
    return this.#ids.get(rest) ?? this.#lookUp(source, rest);
  }

  async #lookUp({ roomId, currentState }: SummarySource, rest: string): Promise<Ids> {
    const states = this.#context.states.ofRoom(roomId);
    const found = new Map<Type, EventId>();
    for (const type of TYPES) {
      const id = await states.get(currentState, type, '');
      if (id !== undefined) found.set(type, id);
    }
    this.#ids.set(rest, found);
    return found;
  }
}

/** Empty unless the rule restricts joins to their members. */
function allowedRooms(content: JsonObject | undefined, rules: RoomVersionRules) {
  const rule = readJoinRule(content);
  const isRestricted =
    (rule === 'restricted' && rules.restrictedJoins) ||
    (rule === 'knock_restricted' && rules.knockRestricted);
  return isRestricted ? readAllowedRooms(content) : [];
}

type Contents = (type: Type) => JsonObject | undefined;

function contentsOf(ids: Ids, loaded: ReadonlyMap<EventId, EventRecord>): Contents {
  return (type) => {
    const id = ids.get(type);
    return id === undefined ? undefined : loaded.get(id)?.pdu.content;
  };
}

function summaryOf(source: SummarySource, contents: Contents): PublicRoom {
  const { alias } = readCanonicalAlias(contents('m.room.canonical_alias'));
  const name = readRoomName(contents('m.room.name'));
  const topic = readTopic(contents('m.room.topic'));
  const avatarUrl = readAvatarUrl(contents('m.room.avatar'));
  const { roomType } = readCreate(contents('m.room.create'));
  return {
    room_id: source.roomId,
    ...(alias !== undefined && { canonical_alias: alias }),
    ...(name !== undefined && { name }),
    ...(topic !== undefined && { topic }),
    ...(avatarUrl !== undefined && { avatar_url: avatarUrl }),
    ...(roomType !== undefined && { room_type: roomType }),
    join_rule: readJoinRule(contents('m.room.join_rules')),
    num_joined_members: source.joinedMembers,
    guest_can_join: readGuestsCanJoin(contents('m.room.guest_access')),
    world_readable: isWorldReadable(source.visibility),
  };
}
