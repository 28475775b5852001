// GET /notifications: of what the user was notified in the rooms that she has joined, the newest first. Nothing
// is kept of that: events are judged by her push rules when they are asked for.

import type { JsonObject } from '../../protocol/json.ts';
import type { PushVerdict } from '../../protocol/push-rules.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { presentRows } from '../rooms/present-rows.ts';
import { visibleRows } from '../rooms/visible-rows.ts';
import type { TimelineRow } from '../store/timeline.ts';
import { selectEventsOfOthers } from '../store/timeline-of-rooms.ts';
import { encodePaginationToken, parsePaginationToken } from '../tokens.ts';
import { judge } from '../unread/judge.ts';
import { type NotifyingRoom, notifyingRooms } from './notifying-rooms.ts';

const MAX_LIMIT = 500;
/** Rows read at once, and the positions of the log that they may come from: what is searched stays bounded. */
const BATCH = 100;
const WINDOW = 20_000;
/** After so many batches a response is as long as it is; the next one goes on. */
const MAX_BATCHES = 10;

export interface NotificationsRequest {
  readonly viewer: Viewer;
  readonly from?: string;
  readonly limit: number;
  readonly onlyHighlights: boolean;
}

/** Errors: M_INVALID_PARAM. */
export async function notifications(
  context: SyncserverContext,
  request: NotificationsRequest,
): Promise<JsonObject> {
  const rooms = await notifyingRooms(context, request.viewer);
  const limit = Math.min(Math.max(Math.trunc(request.limit), 1), MAX_LIMIT);
  const found: JsonObject[] = [];
  let upTo = startOf(request, rooms.upTo);
  for (
    let batch = 0;
    batch < MAX_BATCHES && upTo > rooms.since && found.length < limit;
    batch += 1
  ) {
    const after = Math.max(upTo - WINDOW, rooms.since);
    const range = { roomIds: rooms.roomIds, after, upTo, limit: BATCH };
    const { userId } = request.viewer;
    const rows = await selectEventsOfOthers(context.database, { ...range, userId });
    await context.events.get(rows.map((row) => row.eventId));
    upTo = rows.length < BATCH ? after : (rows.at(-1)?.position ?? 1) - 1;
    for (const row of rows) {
      const room = await rooms.room(row.roomId);
      const notification = room && (await notificationOf(context, room, row));
      const isWanted = notification?.highlight === true || !request.onlyHighlights;
      if (notification === undefined || !isWanted) continue;
      found.push(notification.json);
      if (found.length < limit) continue;
      upTo = row.position - 1;
      break;
    }
  }
  return {
    notifications: found,
    ...(upTo > rooms.since && { next_token: token(upTo) }),
  };
}

function token(position: number): string {
  return encodePaginationToken({ kind: 'stream', position });
}

function startOf({ from }: NotificationsRequest, upTo: number): number {
  if (from === undefined) return upTo;
  return Math.min(parsePaginationToken(from, 'from').position, upTo);
}

async function notificationOf(
  context: SyncserverContext,
  { view, since, unread, rules, displayName }: NotifyingRoom,
  row: TimelineRow,
): Promise<{ readonly highlight: boolean; readonly json: JsonObject } | undefined> {
  if (row.position <= since || view.ignored.has(row.sender)) return undefined;
  const verdict = await judge(context, view, { row, rules, displayName });
  if (!verdict.notify) return undefined;
  const visible = await visibleRows(context, view, [row]);
  const [event] = await presentRows(context, view, { rows: visible, withRoomId: false });
  if (event === undefined) return undefined;
  return {
    highlight: verdict.highlight,
    json: {
      actions: actionsOf(verdict),
      event,
      read: !unread.has(row.position),
      room_id: row.roomId,
      ts: row.receivedTs,
    },
  };
}

/** As rules write them. */
function actionsOf({ tweaks }: PushVerdict): (string | JsonObject)[] {
  const set = Object.entries(tweaks).map(([name, value]) =>
    name === 'highlight' && value === true ? { set_tweak: name } : { set_tweak: name, value },
  );
  return ['notify', ...set];
}
