// A PDU: the event as servers exchange, hash and sign it. Strict where the rules need it, lazy
// everywhere else: content is read where it is used, so that what other servers accept is not refused.

import type { EventId, RoomId, UserId } from '../identifiers.ts';
import { isRawNumber, type JsonObject } from '../json.ts';
import type { RoomVersionId } from '../roomversions/room-version.ts';
import { rulesOf } from '../roomversions/table.ts';

/**
 * The wire shape, without `unsigned`. `auth_events` and `prev_events` differ by room version: see Pdu.
 * In room versions 1 to 5 `depth` and `origin_server_ts` may be RawNumbers: read them through Pdu.
 */
export interface PduJson extends JsonObject {
  readonly type: string;
  readonly sender: string;
  readonly content: JsonObject;
  readonly room_id?: string;
  readonly event_id?: string;
  readonly state_key?: string;
  readonly depth: number;
  readonly origin_server_ts: number;
  readonly hashes?: JsonObject;
  readonly signatures?: JsonObject;
}

/** A PDU as plain data: what interfaces, log entries and tables carry. `Pdu.from` reads it. */
export interface PduRecord {
  readonly eventId: EventId;
  readonly roomVersion: RoomVersionId;
  readonly json: PduJson;
}

/**
 * A PDU with readers. Its own enumerable properties are exactly those of a PduRecord, so that it may be
 * passed wherever a record is asked for, and survives JSON as a record.
 */
export class Pdu implements PduRecord {
  readonly eventId: EventId;
  readonly roomVersion: RoomVersionId;
  readonly json: PduJson;
  #jsonText: string | undefined;

  private constructor(record: PduRecord, jsonText: string | undefined) {
    this.eventId = record.eventId;
    this.roomVersion = record.roomVersion;
    this.json = record.json;
    this.#jsonText = jsonText;
  }

  /**
   * Wraps a record that has passed the format checks (checks of form are in format.ts).
   * `jsonText` is the JSON text of `record.json`, when it is at hand and will be asked for.
   */
  static from(record: PduRecord, jsonText?: string): Pdu {
    return record instanceof Pdu ? record : new Pdu(record, jsonText);
  }

  /** `json` as text, to be stored or sent: made once at most. Read it with parseJsonExactly. */
  get jsonText(): string {
    this.#jsonText ??= JSON.stringify(this.json);
    return this.#jsonText;
  }

  /** In room version 12 the create event has no `room_id`: it is `!` and the hash of its event id. */
  get roomId(): RoomId {
    return (this.json.room_id ?? `!${this.eventId.slice(1)}`) as RoomId;
  }

  get type(): string {
    return this.json.type;
  }

  /** `undefined` for events that are not state. */
  get stateKey(): string | undefined {
    return this.json.state_key;
  }

  get isState(): boolean {
    return this.json.state_key !== undefined;
  }

  get sender(): UserId {
    return this.json.sender as UserId;
  }

  get content(): JsonObject {
    return this.json.content;
  }

  /** At most 2^53-1, even where the event claims more. */
  get depth(): number {
    return safeInteger(this.json.depth);
  }

  /** ms since the epoch, as claimed by the origin; within ±(2^53-1). */
  get originServerTs(): number {
    return safeInteger(this.json.origin_server_ts);
  }

  get prevEvents(): readonly EventId[] {
    return referencedIds(this.json.prev_events);
  }

  /** As written in the event. Room version 12 does not list m.room.create here. */
  get authEvents(): readonly EventId[] {
    return referencedIds(this.json.auth_events);
  }

  /** The event that this redaction is of: `redacts`, at the top level or in content (room version 11). */
  get redacts(): EventId | undefined {
    if (this.type !== 'm.room.redaction') return undefined;
    const { redactsInContent } = rulesOf(this.roomVersion);
    const id = redactsInContent ? this.json.content.redacts : this.json.redacts;
    return typeof id === 'string' ? (id as EventId) : undefined;
  }

  /** `membership` of an m.room.member event, when it is a string. */
  get membership(): string | undefined {
    const value = this.json.content.membership;
    return this.type === 'm.room.member' && typeof value === 'string' ? value : undefined;
  }
}

/** Room versions 1 and 2 list `[event_id, {sha256}]` pairs, later ones plain ids. */
function referencedIds(value: unknown): readonly EventId[] {
  if (!Array.isArray(value)) return [];
  return typeof value[0] === 'string'
    ? (value as readonly EventId[])
    : value.map((pair: readonly unknown[]) => pair[0] as EventId);
}

function safeInteger(value: unknown): number {
  const number = isRawNumber(value) ? Math.trunc(Number(value.rawJSON)) : (value as number);
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}
