// Presence that follows from syncing: `set_presence` of GET /sync.

import type { UserId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';
import { publishPresence } from './edus.ts';

/** A user who is online already is reported anew after this time, in ms, so that she counts as active. */
const REFRESH_MS = 30_000;

/** `offline` says nothing: the user does not want to be seen syncing. */
export async function notePresence(
  context: Pick<ClientapiContext, 'syncserver' | 'eventLog' | 'database' | 'clock' | 'attendance'>,
  userId: UserId,
  presence: 'online' | 'unavailable' | 'offline',
): Promise<void> {
  if (presence === 'offline') return;
  context.attendance.note(userId);
  const known = await context.syncserver.queryPresence({ userId });
  const { presence: before, last_active_ago: ago, status_msg: message } = known ?? {};
  const isFresh = typeof ago === 'number' && ago < REFRESH_MS;
  if (before === presence && (isFresh || presence !== 'online')) return;
  publishPresence(context, userId, {
    presence,
    lastActiveTs: context.clock.now(),
    ...(typeof message === 'string' && { statusMsg: message }),
  });
}
