// Counts of members, and who gives a room without a name its name (`summary` of a room in /sync).

import { LRUCache } from 'lru-cache';
import type { StateSnapshotId } from '../../eventlog/entries.ts';
import { entries } from '../../lru-entries.ts';
import { readCanonicalAlias, readRoomName } from '../../protocol/events/content.ts';
import type { EventId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { SyncserverContext } from '../context.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { selectLocalMembers } from '../store/memberships.ts';
import { selectRowsOfEvents } from '../store/timeline.ts';

const MAX_HEROES = 5;
/** Of larger rooms without a name only so many members are looked at. */
const MAX_CANDIDATES = 100;

type Needs = Pick<SyncserverContext, 'roomserver' | 'events' | 'database' | 'heroCandidates'>;

/** Members by what they are good for as heroes, one more than needed, since nobody is her own hero. */
interface Candidates {
  readonly present: readonly UserId[];
  readonly gone: readonly UserId[];
}

/** By room and state. Looked up once, however many devices are woken at the same time. */
export type HeroCandidates = LRUCache<string, Promise<Candidates>>;

export function createHeroCandidates(): HeroCandidates {
  return new LRUCache(entries(1_000));
}

export interface Summary {
  readonly json: JsonObject;
  readonly heroes: readonly UserId[];
}

export async function roomSummary(context: Needs, view: RoomView): Promise<Summary | undefined> {
  const { roomId, viewer } = view;
  const room = await context.roomserver.queryRoom({ roomId });
  if (room === undefined) return undefined;
  const counts = {
    'm.joined_member_count': room.joinedMembers,
    'm.invited_member_count': room.invitedMembers,
  };
  if (await hasName(context, view)) return { json: counts, heroes: [] };
  const { present, gone } = await candidatesOf(context, roomId, view.endState);
  const others = (members: readonly UserId[]) =>
    members.filter((userId) => userId !== viewer.userId).slice(0, MAX_HEROES);
  const living = others(present);
  const heroes = living.length > 0 ? living : others(gone);
  return { json: { ...counts, 'm.heroes': heroes }, heroes };
}

async function hasName({ roomserver }: Needs, { roomId, endState }: RoomView): Promise<boolean> {
  const found = await roomserver.queryStateEvents({
    roomId,
    snapshot: endState,
    keys: [
      { type: 'm.room.name', stateKey: '' },
      { type: 'm.room.canonical_alias', stateKey: '' },
    ],
  });
  return found.some(
    ({ json }) =>
      readRoomName(json.type === 'm.room.name' ? json.content : undefined) !== undefined ||
      (json.type === 'm.room.canonical_alias' &&
        readCanonicalAlias(json.content).alias !== undefined),
  );
}

function candidatesOf(
  context: Needs,
  roomId: RoomId,
  snapshot: StateSnapshotId,
): Promise<Candidates> {
  const { heroCandidates } = context;
  const id = `${roomId}\0${snapshot}`;
  const known = heroCandidates.get(id);
  if (known !== undefined) return known;
  const found = findCandidates(context, roomId, snapshot);
  heroCandidates.set(id, found);
  found.catch(() => heroCandidates.delete(id));
  return found;
}

async function findCandidates(
  context: Needs,
  roomId: RoomId,
  snapshot: StateSnapshotId,
): Promise<Candidates> {
  const { entries } = await context.roomserver.queryStateIds({
    roomId,
    snapshot,
    members: 'only',
    limit: MAX_CANDIDATES,
  });
  const eventIds = entries.map((entry) => entry.eventId);
  if (entries.length === MAX_CANDIDATES) {
    eventIds.push(...(await somePresent(context, roomId, snapshot)));
  }
  const [events, rows] = await Promise.all([
    context.events.get(eventIds),
    selectRowsOfEvents(context.database, eventIds),
  ]);
  const places = new Map(rows.map((row) => [row.eventId, row.position]));
  // Members whose events came with a whole state have no place: they were there before.
  const place = (event: StoredEvent) => places.get(event.eventId) ?? 0;
  const ordered = [...events.values()].sort((one, other) => place(one) - place(other));
  return {
    present: membersWith(ordered, ['join', 'invite']),
    gone: membersWith(ordered, ['leave', 'ban']),
  };
}

/** Of a large room most members may have left long ago: some of whom it is known that they are there. */
async function somePresent(
  { roomserver, database }: Needs,
  roomId: RoomId,
  snapshot: StateSnapshotId,
): Promise<EventId[]> {
  const members = await selectLocalMembers(database, roomId, MAX_HEROES + 1);
  const keys = members.map((stateKey) => ({ type: 'm.room.member', stateKey }));
  const events = await roomserver.queryStateEvents({ roomId, snapshot, keys });
  return events.map((event) => event.eventId);
}

function membersWith(events: readonly StoredEvent[], memberships: readonly string[]): UserId[] {
  return events
    .filter(({ json }) => memberships.includes(String(json.content.membership)))
    .map(({ json }) => json.state_key as UserId)
    .slice(0, MAX_HEROES + 1);
}
