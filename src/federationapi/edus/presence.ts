// m.presence: whether users of another server are there.

import type { Presence } from '../../eventlog/entries.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { FederationapiContext } from '../context.ts';
import { isUserOf, type ReceivedEdu } from './edu.ts';

const MAX_UPDATES = 1_000;
/** Characters; as much as a member event could hold. */
const MAX_STATUS = 1_024;

export async function receivePresence(
  { eventLog, clock }: FederationapiContext,
  { origin, content }: ReceivedEdu,
): Promise<void> {
  const updates: readonly JsonValue[] = Array.isArray(content.push) ? content.push : [];
  for (const update of updates.slice(0, MAX_UPDATES)) {
    if (!isJsonObject(update) || !isUserOf(origin, update.user_id)) continue;
    const presence = presenceIn(update, clock.now());
    if (presence !== undefined) eventLog.publishEphemeral('edu.presence', update.user_id, presence);
  }
}

function presenceIn(update: JsonObject, now: number): Presence | undefined {
  const { presence, status_msg: status, last_active_ago: ago } = update;
  if (presence !== 'online' && presence !== 'offline' && presence !== 'unavailable') {
    return undefined;
  }
  const isActive = update.currently_active === true && presence === 'online';
  const passed = typeof ago === 'number' && ago > 0 && !isActive ? ago : 0;
  return {
    presence,
    ...(typeof status === 'string' && { statusMsg: status.slice(0, MAX_STATUS) }),
    lastActiveTs: Math.max(0, now - passed),
  };
}
