// What other servers are given so that somebody can recognise a room: whole events, which they can verify.

import { STRIPPED_STATE_TYPES } from '../../protocol/events/stripped-state.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomDraft } from './room-draft.ts';

/** `member`: whose member event goes with it. */
export async function strippedStateOf(room: RoomDraft, member?: UserId): Promise<JsonObject[]> {
  const keys = STRIPPED_STATE_TYPES.map((type): [string, string] => [type, '']);
  if (member !== undefined) keys.push(['m.room.member', member]);
  const events: JsonObject[] = [];
  for (const [type, stateKey] of keys) {
    const event = await room.currentEvent(type, stateKey);
    if (event !== undefined) events.push(event.pdu.json);
  }
  return events;
}
