// What has the shape of what was asked for, out of what another server has answered.

import type { PduJson } from '../../protocol/events/pdu.ts';
import { isServerName, type ServerName } from '../../protocol/identifiers.ts';
import { isJsonObject, isRawNumber, type JsonObject } from '../../protocol/json.ts';
import { MalformedAnswer } from './answer-error.ts';

const MAX_SERVERS = 50_000;

export function objectOf(value: unknown, name: string): JsonObject {
  if (!isJsonObject(value)) throw new MalformedAnswer(`${name} is no object`);
  return value;
}

export function objectsOf(value: unknown, name: string): JsonObject[] {
  if (!Array.isArray(value)) throw new MalformedAnswer(`${name} is no list`);
  return value.filter(isJsonObject);
}

/** What could be an event of some room version; rooms have in them what is none in theirs. */
export function pdusOf(value: unknown, name: string): PduJson[] {
  return objectsOf(value, name).filter(isPdu);
}

export function isPdu(json: JsonObject): json is PduJson {
  return (
    typeof json.type === 'string' &&
    typeof json.sender === 'string' &&
    isJsonObject(json.content) &&
    isNumber(json.depth) &&
    isNumber(json.origin_server_ts) &&
    isAbsentOr('string', json.room_id) &&
    isAbsentOr('string', json.event_id) &&
    isAbsentOr('string', json.state_key)
  );
}

/** Without what is none, each once. */
export function serversOf(value: unknown): ServerName[] {
  if (!Array.isArray(value)) return [];
  return [...new Set(value.slice(0, MAX_SERVERS).filter(isServerName))];
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || isRawNumber(value);
}

function isAbsentOr(type: 'string', value: unknown): boolean {
  return value === undefined || typeof value === type;
}
