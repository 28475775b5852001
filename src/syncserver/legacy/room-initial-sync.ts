// GET /rooms/{roomId}/initialSync: a room as it is, the first of the two calls by which today's clients look into
// rooms that they have not joined.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { viewRoom } from '../rooms/access.ts';
import { lastJoin, type RoomView } from '../rooms/room-view.ts';
import { selectLocalMembers } from '../store/memberships.ts';
import { selectReceipts } from '../store/receipts.ts';
import type { SyncToken } from '../tokens.ts';
import { rememberEnd } from './initial-sync-end.ts';
import { presenceEvents, receiptEvents } from './legacy-events.ts';
import { legacyToken } from './legacy-token.ts';
import { roomSnapshot } from './room-snapshot.ts';

export interface RoomInitialSyncRequest {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  readonly limit: number;
}

/** Errors: M_FORBIDDEN. */
export async function roomInitialSync(
  context: SyncserverContext,
  request: RoomInitialSyncRequest,
): Promise<JsonObject> {
  const { viewer, roomId, limit } = request;
  // Taken first: what is read afterwards may be told twice, but nothing is passed over.
  const now = legacyToken(context);
  const view = await viewRoom(context, request);
  const end: SyncToken = { ...now, rooms: view.upTo };
  const all = await context.userserver.queryAllAccountData({ userId: viewer.userId });
  const accountData = all
    .filter((data) => data.roomId === roomId)
    .map(({ type, content }) => ({ type, content }));
  const room = await roomSnapshot(context, { view, limit, end, accountData });
  const company = isMember(view) ? await companyIn(context, view, end) : NO_COMPANY;
  await rememberEnd(context, request, end);
  return { ...room, ...company };
}

/** Of a large room no more are looked up. */
const MAX_COMPANY = 1_000;

/** What is shown of others only to those who are in the room with them. */
const NO_COMPANY: JsonObject = { presence: [], receipts: [] };

function isMember({ isLooker, history, upTo }: RoomView): boolean {
  return !isLooker && lastJoin(history, upTo)?.until === Number.POSITIVE_INFINITY;
}

async function companyIn(
  context: SyncserverContext,
  { viewer, roomId }: RoomView,
  { receipts: upTo }: SyncToken,
): Promise<JsonObject> {
  const members = await selectLocalMembers(context.database, roomId, MAX_COMPANY);
  const receipts = await selectReceipts(context.database, { roomId, after: 0, upTo });
  return {
    presence: presenceEvents(context, members, viewer),
    receipts: receiptEvents({ viewer, roomId }, receipts),
  };
}
