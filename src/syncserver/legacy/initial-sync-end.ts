// Remembers where a device's initialSync ended: today's clients call /events the first time without saying so,
// and what happened in between is not to be lost, not even when the server restarts.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import {
  deleteInitialSyncsBefore,
  insertInitialSync,
  selectInitialSync,
} from '../store/initial-syncs.ts';
import { encodeSyncToken, parseSyncToken, type SyncToken } from '../tokens.ts';

/** ms. Who comes back later starts with the present. */
const KEPT = 86_400_000;

/** `roomId` '': of all rooms. */
export async function rememberEnd(
  { database, clock }: Pick<SyncserverContext, 'database' | 'clock'>,
  place: { readonly viewer: Viewer; readonly roomId: RoomId | '' },
  end: SyncToken,
): Promise<void> {
  const { userId, deviceId } = place.viewer;
  const ts = clock.now();
  const token = encodeSyncToken(end);
  await database.transact(async (tx) => {
    await deleteInitialSyncsBefore(tx, ts - KEPT);
    await insertInitialSync(tx, { userId, deviceId, roomId: place.roomId, token, ts });
  });
}

export async function rememberedEnd(
  { database, clock }: Pick<SyncserverContext, 'database' | 'clock'>,
  { viewer, roomId }: { readonly viewer: Viewer; readonly roomId: RoomId | '' },
): Promise<SyncToken | undefined> {
  const { userId, deviceId } = viewer;
  const found = await selectInitialSync(database, { userId, deviceId, roomId });
  if (found === undefined || found.ts < clock.now() - KEPT) return undefined;
  return parseSyncToken(found.token);
}
