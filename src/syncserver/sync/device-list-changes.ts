// GET /keys/changes: what /sync would have told in `device_lists` between two tokens.

import type { JsonObject } from '../../protocol/json.ts';
import type { Viewer } from '../api.ts';
import type { SyncserverContext } from '../context.ts';
import { parseSyncToken } from '../tokens.ts';
import { deviceLists } from './device-lists.ts';
import { checkNotAhead, tokenOf } from './sync.ts';

/** Up to now: what came after `to` is told again. Errors: M_INVALID_PARAM, M_UNKNOWN_POS. */
export async function deviceListChanges(
  context: SyncserverContext,
  request: { readonly viewer: Viewer; readonly from: string; readonly to: string },
): Promise<JsonObject> {
  const since = parseSyncToken(request.from, 'from');
  parseSyncToken(request.to, 'to');
  const user = await context.live.user(request.viewer.userId);
  await checkNotAhead(context, since);
  const now = tokenOf(context, since);
  return { ...(await deviceLists({ context, user, since, now })) };
}
