// Stripped state: what somebody who may join a room is shown of it (Client-Server API, "Stripped state").

import { isUserId } from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { isStorableText } from '../json-checks.ts';
import { Pdu, type PduRecord } from './pdu.ts';

export interface StrippedEvent extends JsonObject {
  readonly type: string;
  readonly state_key: string;
  readonly sender: string;
  readonly content: JsonObject;
}

/** What stripped state should contain, each with the empty state key. m.room.create is required. */
export const STRIPPED_STATE_TYPES: readonly string[] = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
];

/** Of what other servers show; more would be no help to recognise a room. */
export const MAX_STRIPPED_EVENTS = 100;

/** Takes state events. */
export function stripEvent(record: PduRecord): StrippedEvent {
  const { type, stateKey = '', sender, content } = Pdu.from(record);
  return { type, state_key: stateKey, sender, content };
}

/**
 * What another server sent as stripped state, cut down to its four properties; undefined when it is none.
 * Full events, as newer servers send, are taken too.
 */
export function pruneStrippedEvent(json: JsonValue | undefined): StrippedEvent | undefined {
  if (!isJsonObject(json)) return undefined;
  const { type, state_key: stateKey, sender, content } = json;
  if (!isText(type) || !isText(stateKey) || !isUserId(sender)) return undefined;
  return isJsonObject(content) ? { type, state_key: stateKey, sender, content } : undefined;
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && isStorableText(value);
}
