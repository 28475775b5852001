// Unread counts (Client-Server API, "Receiving notifications"), worked out when they are read: what came since
// the last time is judged by the user's push rules, what has been read is struck off.

import { readProfile } from '../../protocol/events/content.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import { isJsonObject } from '../../protocol/json.ts';
import type { SyncserverContext } from '../context.ts';
import { lastJoin, type RoomView } from '../rooms/room-view.ts';
import { type StoredReceipt, selectReceipts, selectReceiptsOfUser } from '../store/receipts.ts';
import { selectTimeline, type TimelineRow } from '../store/timeline.ts';
import { type Case, judge } from './judge.ts';
import { threadOf } from './thread-of.ts';
import type { UnreadState } from './unread-cache.ts';
import { type Unread, type UnreadCounts, UnreadList } from './unread-list.ts';

/** Of what was missed, only the newest is judged. */
const MAX_MISSED = 500;

/** `receiptsUpTo`: how far receipts have been consumed. */
export async function unreadCounts(
  context: SyncserverContext,
  view: RoomView,
  receiptsUpTo: number,
): Promise<UnreadCounts> {
  const { viewer, roomId } = view;
  const { userId } = viewer;
  const ruleset = await context.userserver.queryPushRules({ userId });
  const rules = isJsonObject(ruleset.global) ? ruleset.global : ruleset;
  const since = lastJoin(view.history, view.upTo)?.from ?? view.upTo;
  const known = context.unread.get(userId, roomId);
  const isUsable =
    known !== undefined &&
    known.since === since &&
    known.rules === rules &&
    known.upTo <= view.upTo &&
    known.receiptsUpTo <= receiptsUpTo;
  const state = isUsable
    ? known
    : { ...NOTHING, since, upTo: since, rules, displayName: await displayNameOf(context, view) };
  const next = await goOn(context, view, { state, receiptsUpTo });
  context.unread.set(userId, roomId, next);
  return next.unread.counts;
}

const NOTHING = {
  receiptsUpTo: -1,
  readUpTo: new Map<string, number>(),
  unread: UnreadList.empty,
};

async function goOn(
  context: SyncserverContext,
  view: RoomView,
  { state, receiptsUpTo }: { readonly state: UnreadState; readonly receiptsUpTo: number },
): Promise<UnreadState> {
  let { readUpTo } = state;
  const range = { after: state.receiptsUpTo, upTo: receiptsUpTo };
  const receipts = range.after < range.upTo ? await ownReceipts(context, view, range) : [];
  for (const receipt of receipts) {
    readUpTo = advanced(readUpTo, receipt.threadId, receipt.eventPosition);
  }
  const floor = Math.max(state.upTo, readUpTo.get('') ?? 0);
  const inMemory = context.live.room(view.roomId)?.rows(floor, view.upTo);
  const rows = (inMemory ?? (await rowsAfter(context, view, floor))).toReversed();
  const isRenamed = rows.some((row) => isOwnMember(view, row));
  const displayName = isRenamed ? await displayNameOf(context, view) : state.displayName;
  const found: Unread[] = [];
  for (const row of rows) {
    if (row.sender === view.viewer.userId) {
      // Whoever answers has read what came before.
      readUpTo = advanced(readUpTo, await threadOf(context, row), row.position);
    } else {
      found.push(...(await judged(context, view, { row, rules: state.rules, displayName })));
    }
  }
  const isUnread = ({ thread, position }: Unread) =>
    position > Math.max(readUpTo.get('') ?? 0, readUpTo.get(thread) ?? 0);
  const left = readUpTo === state.readUpTo ? state.unread : state.unread.filter(isUnread);
  const unread = left.with(found.filter(isUnread));
  return { ...state, upTo: view.upTo, receiptsUpTo, readUpTo, unread, displayName };
}

/** The same map where nothing more has been read. */
function advanced(
  readUpTo: ReadonlyMap<string, number>,
  thread: string,
  position: number,
): ReadonlyMap<string, number> {
  if (position <= (readUpTo.get(thread) ?? 0)) return readUpTo;
  return new Map(readUpTo).set(thread, position);
}

async function ownReceipts(
  { database, live }: SyncserverContext,
  { roomId, viewer }: RoomView,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<StoredReceipt[]> {
  if (after < 0) return selectReceiptsOfUser(database, roomId, viewer.userId);
  const receipts =
    live.room(roomId)?.receipts(after, upTo) ??
    (await selectReceipts(database, { roomId, after, upTo }));
  return receipts.filter((receipt) => receipt.userId === viewer.userId);
}

/** Newest first. */
function rowsAfter(
  { database }: SyncserverContext,
  { roomId, upTo }: RoomView,
  after: number,
): Promise<TimelineRow[]> {
  return selectTimeline(database, { roomId, after, upTo, limit: MAX_MISSED });
}

function isOwnMember({ viewer }: RoomView, { type, stateKey }: TimelineRow): boolean {
  return type === 'm.room.member' && stateKey === viewer.userId;
}

async function displayNameOf(
  { roomserver }: SyncserverContext,
  { roomId, endState, viewer }: RoomView,
): Promise<string | undefined> {
  const keys = [{ type: 'm.room.member', stateKey: viewer.userId }];
  const [member] = await roomserver.queryStateEvents({ roomId, snapshot: endState, keys });
  return readProfile(member?.json.content).displayname;
}

async function judged(context: SyncserverContext, view: RoomView, which: Case): Promise<Unread[]> {
  const { row } = which;
  if (row.kind !== 'event' || view.ignored.has(row.sender as UserId)) return [];
  const verdict = await judge(context, view, which);
  if (!verdict.notify) return [];
  const thread = await threadOf(context, row);
  return [{ position: row.position, thread, highlight: verdict.highlight }];
}
