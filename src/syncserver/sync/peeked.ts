// `rooms.peek`, and peeks that have ended in `rooms.leave` (MSC2753). No ephemeral events, no counts.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import { hadEndedAt, wasActiveAt } from '../peeks/peek-state.ts';
import type { RoomView } from '../rooms/room-view.ts';
import { stateAt } from '../rooms/state-at.ts';
import type { Peek } from '../store/peeks.ts';
import { selectTimeline } from '../store/timeline.ts';
import { hasNews, roomSection } from './section.ts';
import type { SyncRequest } from './sync-request.ts';

export interface PeekedRoom {
  readonly section: 'peek' | 'leave';
  readonly json: JsonObject;
}

/** The device's peeks of /sync by room, as far as they have begun, the last one last. */
export function peeksByRoom({ device, now }: SyncRequest): Map<RoomId, Peek[]> {
  const peeks = device.peeks
    .filter(({ via, startedPosition }) => via === 'sync' && startedPosition <= now.rooms)
    .sort((one, other) => one.startedPosition - other.startedPosition);
  return Map.groupBy(peeks, (peek) => peek.roomId);
}

/** Undefined when there is nothing to tell. `peeks`: those of the device into the room. */
export async function peekedRoom(
  sync: SyncRequest,
  roomId: RoomId,
  peeks: readonly Peek[],
): Promise<PeekedRoom | undefined> {
  const { since, now } = sync;
  const last = peeks.at(-1);
  if (last === undefined) return undefined;
  if (!hadEndedAt(last, now)) {
    const json = await activePeek(sync, roomId, last);
    return json && { section: 'peek', json };
  }
  if (since === undefined || hadEndedAt(last, since)) return undefined;
  const wasShown = peeks.some((peek) => wasActiveAt(peek, since));
  return { section: 'leave', json: wasShown ? await endedPeek(sync, roomId, last) : {} };
}

async function activePeek(
  sync: SyncRequest,
  roomId: RoomId,
  peek: Peek,
): Promise<JsonObject | undefined> {
  const { context, since, now, fullState, user } = sync;
  const continues = since !== undefined && wasActiveAt(peek, since);
  // A room that is not watched any more, since the peek has ended meanwhile, may have news up to `now`.
  const latest = user.rooms.get(roomId)?.latest?.position ?? Number.POSITIVE_INFINITY;
  if (continues && !fullState && latest <= since.rooms) return undefined;
  const view = await lookerView(sync, roomId, now.rooms);
  if (view === undefined) return undefined;
  const section = await roomSection(sync, {
    view,
    after: continues ? since.rooms : 0,
    base: continues && !fullState ? () => stateAt(context, roomId, since.rooms) : undefined,
    withSummary: true,
    // What it may have from an earlier look is not continued.
    isDetached: since !== undefined && !continues,
  });
  if (continues && !fullState && !hasNews(section)) return undefined;
  return {
    ...(section.summary !== undefined && { summary: section.summary }),
    [sync.stateSection]: { events: section.state },
    timeline: section.timeline,
  };
}

/** What happened until the peek ended; nothing at all when nothing did. */
async function endedPeek(sync: SyncRequest, roomId: RoomId, peek: Peek): Promise<JsonObject> {
  const { context, since } = sync;
  if (since === undefined || peek.ending === 'purge') return {};
  const view = await lookerView(sync, roomId, await lastShown(sync, peek));
  if (view === undefined) return {};
  const section = await roomSection(sync, {
    view,
    after: since.rooms,
    base: () => stateAt(context, roomId, since.rooms),
    withSummary: false,
  });
  if (!hasNews(section)) return {};
  return { [sync.stateSection]: { events: section.state }, timeline: section.timeline };
}

/** Of a state that closed the room by arriving at once nothing is shown: no event of it says from when it is. */
async function lastShown({ context, now }: SyncRequest, peek: Peek): Promise<number> {
  const { roomId, endedPosition: upTo = now.rooms } = peek;
  const range = { roomId, after: upTo - 1, upTo, limit: 1 };
  const [last] = await selectTimeline(context.database, range);
  return last === undefined || last.kind === 'event' ? upTo : upTo - 1;
}

async function lookerView(
  { context, viewer, user, ignored }: SyncRequest,
  roomId: RoomId,
  upTo: number,
): Promise<RoomView | undefined> {
  const endState = await stateAt(context, roomId, upTo);
  if (endState === undefined) return undefined;
  const history = user.memberships.get(roomId) ?? [];
  return { viewer, roomId, isLooker: true, history, upTo, endState, ignored };
}
