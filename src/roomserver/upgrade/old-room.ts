// What is taken over from a room that is replaced (Client-Server API, "Room Upgrades").

import { setImmediate } from 'node:timers/promises';
import { roomCreators } from '../../protocol/auth/creators.ts';
import { readCreate } from '../../protocol/events/content.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { StateEntry } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { CHILD_TYPE, SPACE_TYPE, viaOf } from '../spaces/space-child.ts';

export interface CopiedEvent {
  readonly type: string;
  readonly stateKey: string;
  readonly content: JsonObject;
}

export interface OldRoom {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  /** Whom the version privileges. */
  readonly creators: readonly string[];
  readonly roomType: string | undefined;
  readonly federate: boolean;
  readonly powerLevels: JsonObject | undefined;
  /** Other state, children of a space and bans, in the order in which they are to be sent. */
  readonly copied: readonly CopiedEvent[];
}

/** As the specification recommends, and where the room is found. */
const TYPES = [
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.canonical_alias',
] as const;

const MAX_CHILDREN = 500;
const MAX_BANS = 300;
/** Entries of the state that are looked through for each of the two. */
const MAX_ENTRIES = 50_000;
const EVENTS_PER_LOAD = 500;

type Context = Pick<RoomserverContext, 'states' | 'events'>;

export async function readOldRoom(context: Context, head: RoomHead): Promise<OldRoom> {
  const { roomId, currentState } = head;
  const states = context.states.ofRoom(roomId);
  const current = async (type: string) => {
    const id = await states.get(currentState, type, '');
    return id === undefined ? undefined : (await context.events.get(id))?.pdu;
  };
  const rules = rulesOf(head.roomVersion);
  const create = await current('m.room.create');
  const { roomType, federate } = readCreate(create?.content);
  const copied: CopiedEvent[] = [];
  for (const type of TYPES) {
    const content = (await current(type))?.content;
    if (content !== undefined && Object.keys(content).length > 0) {
      copied.push({ type, stateKey: '', content });
    }
  }
  const children = roomType === SPACE_TYPE ? await childrenOf(context, head) : [];
  return {
    ...{ roomId, rules, roomType, federate },
    creators: create === undefined ? [] : roomCreators(create, rules),
    powerLevels: (await current('m.room.power_levels'))?.content,
    copied: [...copied, ...children, ...(await bansIn(context, head))],
  };
}

async function childrenOf(context: Context, head: RoomHead): Promise<CopiedEvent[]> {
  const { currentState, roomId } = head;
  const entries = await context.states.ofRoom(roomId).entries(currentState, 'none', MAX_ENTRIES);
  const listed = entries.filter(({ type }) => type === CHILD_TYPE);
  const isChild = ({ pdu }: EventRecord) => viaOf(pdu).length > 0;
  return await select(context, listed, { wanted: isChild, limit: MAX_CHILDREN });
}

async function bansIn(context: Context, head: RoomHead): Promise<CopiedEvent[]> {
  const { currentState, roomId } = head;
  const members = await context.states.ofRoom(roomId).entries(currentState, 'only', MAX_ENTRIES);
  const isBan = ({ pdu }: EventRecord) => pdu.membership === 'ban';
  const bans = await select(context, members, { wanted: isBan, limit: MAX_BANS });
  return bans.map((ban) => ({ ...ban, content: banContent(ban.content) }));
}

function banContent({ reason }: JsonObject): JsonObject {
  return { membership: 'ban', ...(typeof reason === 'string' && { reason }) };
}

async function select(
  { events }: Context,
  entries: readonly StateEntry[],
  { wanted, limit }: { readonly wanted: (record: EventRecord) => boolean; readonly limit: number },
): Promise<CopiedEvent[]> {
  const found: CopiedEvent[] = [];
  for (let from = 0; from < entries.length && found.length < limit; from += EVENTS_PER_LOAD) {
    const part = entries.slice(from, from + EVENTS_PER_LOAD);
    const loaded: ReadonlyMap<EventId, EventRecord> = await events.load(
      part.map(({ eventId }) => eventId),
    );
    for (const { type, stateKey, eventId } of part) {
      const record = loaded.get(eventId);
      if (record === undefined || !wanted(record)) continue;
      found.push({ type, stateKey, content: record.pdu.content });
    }
    await setImmediate();
  }
  return found.slice(0, limit);
}
