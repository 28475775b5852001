// Tokens of /events and initialSync: those of /sync, whose streams they share.

import type { SyncserverContext } from '../context.ts';
import { tokenOf } from '../sync/sync.ts';
import type { SyncToken } from '../tokens.ts';

/**
 * As far as everything has been consumed. These endpoints tell no messages to devices, and nothing of peeks of /sync:
 * a token that finds its way there must not acknowledge any.
 */
export function legacyToken(context: SyncserverContext, since?: SyncToken): SyncToken {
  return { ...tokenOf(context, since), toDevice: 0, time: 0 };
}
