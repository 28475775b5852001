// An event that another server hands over in a handshake: whole, signed, and the one that it says it is.

import { MatrixError } from '../../protocol/error.ts';
import type { PduJson } from '../../protocol/events/pdu.ts';
import { isContentHashValid } from '../../protocol/hashing.ts';
import type { EventId, RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvent } from '../input/check-event.ts';
import { type CheckedEvent, isDropped } from '../input/checked-event.ts';

export interface GivenEvent {
  readonly roomId: RoomId;
  readonly eventId: EventId;
  readonly roomVersion: RoomVersionId;
  readonly event: JsonObject;
}

/** Throws M_INVALID_PARAM. */
export async function checkGivenEvent(
  { keyRing }: Pick<RoomserverContext, 'keyRing'>,
  { roomId, eventId, roomVersion, event }: GivenEvent,
): Promise<CheckedEvent> {
  const rules = rulesOf(roomVersion);
  const checked = await checkEvent(event, { roomId, rules, keyRing });
  if (isDropped(checked)) throw invalid(`${checked.rule}: ${checked.reason}`);
  // Somewhere else it would be taken in its redacted form; who has just made it can make it right.
  if (!isContentHashValid(event as PduJson, rules)) throw invalid('the hash is not of the event');
  if (checked.pdu.eventId !== eventId) throw invalid('the event has another id');
  return checked;
}

export function invalid(reason: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', `The event cannot be taken: ${reason}`);
}
