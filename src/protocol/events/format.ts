// Check 1 of "Checks performed on receipt of a PDU": does the event have the format of its room version?
// Only what the room versions' schemas and size limits demand; content is left as it is.

import { encodeCanonicalJson } from '../canonical-json.ts';
import { MatrixError } from '../error.ts';
import {
  isDomainlessRoomId,
  isEventId,
  isRoomId,
  isUserId,
  serverNameOfEventId,
} from '../identifiers.ts';
import { isJsonObject, isRawNumber, type JsonObject, type JsonValue } from '../json.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { checkEventKey, checkEventSize, MAX_AUTH_EVENTS, MAX_PREV_EVENTS } from './limits.ts';
import type { PduJson } from './pdu.ts';

/**
 * Returns the event without `unsigned`, which others may have written what they like into.
 * Throws M_BAD_JSON, or M_TOO_LARGE: the event is to be dropped. Takes JSON as parsed by parseForeignJson.
 */
export function checkPduFormat(json: unknown, rules: RoomVersionRules): PduJson {
  if (!isJsonObject(json)) throw malformed('an event must be an object');
  const { unsigned: _, ...event } = json;
  checkKeys(event);
  checkIdentifiers(event, rules);
  checkTimes(event, rules);
  checkReferences(event.prev_events, { name: 'prev_events', max: MAX_PREV_EVENTS, rules });
  checkReferences(event.auth_events, { name: 'auth_events', max: MAX_AUTH_EVENTS, rules });
  checkHashesAndSignatures(event);
  checkEventSize(encodeCanonicalJson(event, { strict: rules.strictCanonicalJson }));
  return event as unknown as PduJson;
}

function malformed(message: string): MatrixError {
  return new MatrixError('M_BAD_JSON', `Malformed event: ${message}`);
}

function checkKeys(event: JsonObject): void {
  const { type, state_key: stateKey } = event;
  if (typeof type !== 'string') throw malformed('type must be a string');
  checkEventKey('type', type);
  if (stateKey !== undefined) {
    if (typeof stateKey !== 'string') throw malformed('state_key must be a string');
    checkEventKey('state_key', stateKey);
  }
  if (!isJsonObject(event.content)) throw malformed('content must be an object');
}

function checkIdentifiers(event: JsonObject, rules: RoomVersionRules): void {
  if (!isUserId(event.sender)) throw malformed('sender must be a user ID');
  checkRoomId(event, rules);
  if (rules.eventFormat !== 'v1') return;
  const { event_id: eventId } = event;
  if (!isEventId(eventId) || serverNameOfEventId(eventId) === undefined) {
    throw malformed('event_id must be an event ID with a server name');
  }
}

function checkRoomId({ type, room_id: roomId }: JsonObject, rules: RoomVersionRules): void {
  if (!rules.roomIdIsCreateEventId) {
    if (isRoomId(roomId) && !isDomainlessRoomId(roomId)) return;
    throw malformed('room_id must be a room ID with a server name');
  }
  if (type === 'm.room.create') {
    if (roomId !== undefined) throw malformed('m.room.create must not have a room_id');
  } else if (!isDomainlessRoomId(roomId)) {
    throw malformed('room_id must be a room ID without server name');
  }
}

function checkTimes(event: JsonObject, rules: RoomVersionRules): void {
  const depth = integer(event.depth, rules);
  if (depth === undefined || depth < 0n || depth > rules.maxDepth) {
    throw malformed(`depth must be an integer from 0 to ${rules.maxDepth}`);
  }
  const time = integer(event.origin_server_ts, rules);
  if (time === undefined) throw malformed('origin_server_ts must be an integer');
}

/** Beyond 2^53 only where the room version takes it, and then up to 64 bits. */
function integer(value: JsonValue | undefined, rules: RoomVersionRules): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (rules.strictCanonicalJson || !isRawNumber(value)) return undefined;
  return /^-?[1-9][0-9]{0,18}$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

function checkReferences(
  value: JsonValue | undefined,
  list: { readonly name: string; readonly max: number; readonly rules: RoomVersionRules },
): void {
  const { name, max, rules } = list;
  if (!Array.isArray(value)) throw malformed(`${name} must be an array`);
  if (value.length > max) throw malformed(`${name} must not have more than ${max} entries`);
  const isReference = rules.eventFormat === 'v1' ? isIdWithHashes : isEventId;
  if (!value.every(isReference)) throw malformed(`${name} must be references to events`);
}

/** `[event_id, {sha256: …}]`, as in room versions 1 and 2. */
function isIdWithHashes(value: JsonValue): boolean {
  return (
    Array.isArray(value) && value.length === 2 && isEventId(value[0]) && isJsonObject(value[1])
  );
}

function checkHashesAndSignatures({ hashes, signatures }: JsonObject): void {
  if (!isJsonObject(hashes) || typeof hashes.sha256 !== 'string') {
    throw malformed('hashes must have a sha256');
  }
  const isOfText = (value: JsonValue | undefined) =>
    isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string');
  if (!isJsonObject(signatures) || !Object.values(signatures).every(isOfText)) {
    throw malformed('signatures must be objects of strings');
  }
}
