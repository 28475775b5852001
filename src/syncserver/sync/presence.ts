// Presence of those who share a room with the user.

import { setImmediate } from 'node:timers/promises';
import type { Presence } from '../../eventlog/entries.ts';
import {
  type EventId,
  type RoomId,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { presenceContent } from '../live/presence-tracker.ts';
import { sharersAmong } from '../live/sharing.ts';
import { selectLocalMembers } from '../store/memberships.ts';
import type { Slice } from './slice.ts';
import type { SyncRequest } from './sync-request.ts';

/** Of a large room that is joined, no more are looked up. */
const MAX_MET = 50;
/** Changes looked at between two turns of the event loop. */
const CHUNK = 200;
/** With so many a response is full; the next one goes on. */
const MAX_TOLD = 500;

/** Rooms that the user has newly joined, and users who have newly joined a room of hers. */
export interface NewCompany {
  readonly rooms: readonly RoomId[];
  readonly users: readonly UserId[];
}

export interface ToldPresence {
  readonly events: readonly JsonObject[];
  /** How far the device has been told. */
  readonly upTo: number;
}

export async function presenceEvents(
  sync: SyncRequest,
  company: NewCompany,
): Promise<ToldPresence> {
  const { context, filter, since, now } = sync;
  const isOld = since?.epoch === now.epoch && since.presence >= now.presence;
  const hasNews = !isOld || company.rooms.length + company.users.length > 0;
  if (filter.presence.passesNone || !hasNews) return { events: [], upTo: now.presence };
  const met = since === undefined ? [] : await usersMet(sync, company);
  const { users, upTo } = await usersToTell(sync);
  const events = [...new Set([...met, ...users])].flatMap((userId) => {
    const presence = context.presence.get(userId) ?? (met.includes(userId) ? OFFLINE : undefined);
    if (presence === undefined || !isWanted(sync, userId)) return [];
    const content = contentOf(presence, context.clock.now());
    return [{ type: 'm.presence', sender: userId, content }];
  });
  return { events, upTo };
}

function isWanted({ filter }: SyncRequest, sender: UserId): boolean {
  return filter.presence.passes({ type: 'm.presence', sender });
}

const OFFLINE = 'offline';

function contentOf(presence: Presence | typeof OFFLINE, now: number): JsonObject {
  return presence === OFFLINE ? { presence } : presenceContent(presence, now);
}

/** Users of whom a stretch of a timeline tells last that they are in the room. */
export async function joinedIn(
  { context, since, filter }: SyncRequest,
  { scanned }: Slice,
): Promise<UserId[]> {
  if (since === undefined || filter.presence.passesNone) return [];
  const members = scanned.filter(({ type, stateKey }) => type === 'm.room.member' && stateKey);
  if (members.length === 0) return [];
  const last = new Map(members.slice(-MAX_MET).map((row) => [row.stateKey as UserId, row.eventId]));
  const events = await context.events.get(last.values());
  const isJoined = (eventId: EventId) => events.get(eventId)?.json.content.membership === 'join';
  return [...last].filter(([, eventId]) => isJoined(eventId)).map(([userId]) => userId);
}

/** Local users whom the user shares a room with only now: she is told even of those who were never heard of. */
async function usersMet({ context, user }: SyncRequest, company: NewCompany): Promise<UserId[]> {
  const met = new Set<UserId>(company.users);
  for (const roomId of company.rooms) {
    if (met.size > MAX_MET) break;
    for (const member of await selectLocalMembers(context.database, roomId, MAX_MET + 1)) {
      met.add(member);
    }
  }
  met.delete(user.userId);
  const local = [...met].filter((userId) => serverNameOf(userId) === context.serverName);
  return local.slice(0, MAX_MET);
}

async function usersToTell(
  sync: SyncRequest,
): Promise<{ readonly users: readonly UserId[]; readonly upTo: number }> {
  const { context, since, now, user } = sync;
  const users: UserId[] = [];
  let upTo = since?.epoch === now.epoch ? since.presence : 0;
  while (upTo < now.presence && users.length < MAX_TOLD) {
    const range = { after: upTo, upTo: now.presence, limit: CHUNK };
    const changes = context.presence.changes(range);
    const wanted = changes.map(({ userId }) => userId).filter((userId) => isWanted(sync, userId));
    users.push(...(await sharersAmong(context, user, wanted)));
    const isLast = changes.length < CHUNK;
    upTo = isLast ? now.presence : (changes.at(-1)?.version ?? now.presence);
    if (!isLast) await setImmediate();
  }
  return { users, upTo };
}
