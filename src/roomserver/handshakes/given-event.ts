// An event that another server hands over in a handshake: whole, signed, and the one that it says it is.

import { MatrixError } from '../../protocol/error.ts';
import type { Pdu, PduJson } from '../../protocol/events/pdu.ts';
import { isContentHashValid } from '../../protocol/hashing.ts';
import { type RoomId, type ServerName, serverNameOf } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { RoomVersionId } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { RoomserverContext } from '../context.ts';
import { checkEvent } from '../input/check-event.ts';
import { type CheckedEvent, type Dropped, isDropped } from '../input/checked-event.ts';

export interface GivenEvent {
  readonly roomId: RoomId;
  /** As the path has it: any text. */
  readonly eventId: string;
  readonly roomVersion: RoomVersionId;
  readonly event: JsonObject;
}

/** Throws M_BAD_JSON for what has no proper form, M_FORBIDDEN for what is not signed, M_INVALID_PARAM for anything else. */
export async function checkGivenEvent(
  { keyRing }: Pick<RoomserverContext, 'keyRing'>,
  { roomId, eventId, roomVersion, event }: GivenEvent,
): Promise<CheckedEvent> {
  const rules = rulesOf(roomVersion);
  const checked = await checkEvent(event, { roomId, rules, keyRing });
  if (isDropped(checked)) throw refusalOf(event, checked);
  // Somewhere else it would be taken in its redacted form; who has just made it can make it right.
  if (!isContentHashValid(event as PduJson, rules)) throw invalid('the hash is not of the event');
  if (checked.pdu.eventId !== eventId) throw invalid('the event has another id');
  return checked;
}

function refusalOf({ hashes }: JsonObject, { rule, reason }: Dropped): MatrixError {
  // What is signed is the hash of the content: without any, whatever signatures there are sign nothing.
  const isUnsigned = rule === 'signature' || (rule === 'format' && hashes === undefined);
  if (isUnsigned) return new MatrixError('M_FORBIDDEN', 'The event is not signed by its server');
  if (rule === 'format') return new MatrixError('M_BAD_JSON', reason);
  return invalid(`${rule}: ${reason}`);
}

/** Throws M_FORBIDDEN: servers act for their own users alone. */
export function checkIsOfOrigin({ sender }: Pdu, origin: ServerName): void {
  if (serverNameOf(sender) === origin) return;
  throw new MatrixError('M_FORBIDDEN', 'The sender of the event is of another server');
}

export function invalid(reason: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', `The event cannot be taken: ${reason}`);
}
