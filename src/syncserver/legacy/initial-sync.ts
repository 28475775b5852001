// GET /initialSync: all rooms of a user, from the time before /sync.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { lastJoin, membershipAt } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import { type Membership, selectNeighbours } from '../store/memberships.ts';
import { selectReceipts } from '../store/receipts.ts';
import { encodeSyncToken, type SyncToken } from '../tokens.ts';
import { rememberEnd } from './initial-sync-end.ts';
import { inviteEvent, presenceEvents, receiptEvents } from './legacy-events.ts';
import { legacyToken } from './legacy-token.ts';
import { roomSnapshot } from './room-snapshot.ts';

export interface InitialSyncRequest {
  readonly viewer: Viewer;
  /** Of messages in each room. */
  readonly limit: number;
  /** Whether rooms that the user has left are shown. */
  readonly archived: boolean;
}

interface Everything extends InitialSyncRequest {
  readonly now: SyncToken;
  readonly ignored: ReadonlySet<UserId>;
  readonly accountData: readonly {
    readonly roomId?: RoomId;
    readonly type: string;
    readonly content: JsonObject;
  }[];
}

/** Rooms worked on at once. */
const AT_ONCE = 8;
/** Of whom presence is shown. */
const MAX_NEIGHBOURS = 1_000;

export async function initialSync(
  context: SyncserverContext,
  request: InitialSyncRequest,
): Promise<JsonObject> {
  const { viewer } = request;
  const { userId } = viewer;
  const ignored = new Set(await context.userserver.queryIgnoredUsers({ userId }));
  const accountData = await context.userserver.queryAllAccountData({ userId });
  const user = await context.live.user(userId);
  const now = legacyToken(context);
  const everything: Everything = { ...request, now, ignored, accountData };
  const memberships = [...user.memberships.values()];
  const rooms: JsonObject[] = [];
  for (let start = 0; start < memberships.length; start += AT_ONCE) {
    const group = memberships.slice(start, start + AT_ONCE);
    const found = await Promise.all(group.map((history) => room(context, everything, history)));
    rooms.push(...found.filter((one) => one !== undefined));
  }
  const neighbours = await selectNeighbours(context.database, userId, MAX_NEIGHBOURS);
  const receipts = await receiptsIn(context, everything, memberships);
  await rememberEnd(context, { viewer, roomId: '' }, now);
  return {
    end: encodeSyncToken(now),
    rooms,
    presence: presenceEvents(context, new Set([userId, ...neighbours]), viewer),
    receipts,
    account_data: dataOf(everything, undefined),
  };
}

/** Undefined for what is not shown. */
async function room(
  context: SyncserverContext,
  everything: Everything,
  history: readonly Membership[],
): Promise<JsonObject | undefined> {
  const { now, archived, viewer, limit, ignored } = everything;
  const last = membershipAt(history, now.rooms);
  if (last === undefined || last.membership === 'knock') return undefined;
  const { roomId } = last;
  if (last.membership === 'invite') return invitedRoom(context, everything, last);
  const join = lastJoin(history, now.rooms);
  const isShown = last.membership === 'join' || (archived && !last.forgotten);
  if (join === undefined || !isShown) return undefined;
  const end = await stateAt(context, roomId, Math.min(join.until, now.rooms));
  if (end === undefined) return undefined;
  const upTo = Math.min(join.until, now.rooms);
  const view = { viewer, roomId, isLooker: false, history, upTo, endState: end, ignored };
  const accountData = dataOf(everything, roomId);
  return roomSnapshot(context, { view, limit, end: now, accountData });
}

async function invitedRoom(
  context: SyncserverContext,
  { ignored }: Everything,
  membership: Membership,
): Promise<JsonObject | undefined> {
  const invite = await inviteEvent(context, membership);
  const inviter = invite?.sender;
  if (ignored.has(inviter as UserId)) return undefined;
  return {
    room_id: membership.roomId,
    membership: 'invite',
    ...(inviter !== undefined && { inviter, invite }),
  };
}

/** Push rules are among account data only since /sync. */
function dataOf({ accountData }: Everything, roomId: RoomId | undefined): JsonObject[] {
  return accountData
    .filter((data) => data.roomId === roomId && data.type !== 'm.push_rules')
    .map(({ type, content }) => ({ type, content }));
}

async function receiptsIn(
  { database }: SyncserverContext,
  { viewer, now }: Everything,
  memberships: readonly (readonly Membership[])[],
): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  for (const history of memberships) {
    const last = membershipAt(history, now.rooms);
    if (last?.membership !== 'join') continue;
    const { roomId } = last;
    const receipts = await selectReceipts(database, { roomId, after: 0, upTo: now.receipts });
    events.push(...receiptEvents({ viewer, roomId }, receipts));
  }
  return events;
}
