// GET /rooms/{roomId}/event/{eventId}.

import { MatrixError } from '../../protocol/error.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { StoredEvent } from '../../roomserver/api.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { selectRowsOfEvents } from '../store/timeline.ts';
import { viewRoom } from './access.ts';
import { presentRows, presentState } from './present-rows.ts';
import type { RoomView } from './room-view.ts';
import { visibleOrCurrentRows } from './visible-rows.ts';

/** Errors: M_NOT_FOUND, also when the viewer may not know. */
export async function event(
  context: SyncserverContext,
  request: { readonly viewer: Viewer; readonly roomId: RoomId; readonly eventId: EventId },
): Promise<JsonObject> {
  const view = await viewRoom(context, request).catch(asNotFound);
  const rows = await selectRowsOfEvents(context.database, [request.eventId]);
  const here = rows.filter((row) => row.roomId === view.roomId && row.position <= view.upTo);
  const visible = await visibleOrCurrentRows(context, view, here);
  const [shown] = await presentRows(context, view, {
    rows: visible.slice(0, 1),
    withRoomId: true,
    relations: 'all',
  });
  if (shown !== undefined) return shown;
  const [outlier] = here.length === 0 ? await stateWithoutRow(context, view, request.eventId) : [];
  return outlier ?? notFound();
}

/** State that came with a whole state has no place in the timeline; who is given the state may see it. */
async function stateWithoutRow(
  context: SyncserverContext,
  view: RoomView,
  eventId: EventId,
): Promise<JsonObject[]> {
  const stored: StoredEvent | undefined = await context.events.one(eventId);
  const stateKey = stored?.json.state_key;
  if (stored === undefined || stateKey === undefined) return [];
  const holding = await context.roomserver.queryStateEvents({
    roomId: view.roomId,
    snapshot: view.endState,
    keys: [{ type: stored.json.type, stateKey }],
  });
  const isHeld = holding.some((other) => other.eventId === eventId);
  return isHeld ? presentState(context, view, { events: [stored], withRoomId: true }) : [];
}

function asNotFound(error: unknown): never {
  if (error instanceof MatrixError && error.errcode === 'M_FORBIDDEN') return notFound();
  throw error;
}

function notFound(): never {
  throw new MatrixError('M_NOT_FOUND', 'There is no such event, or you may not see it');
}
