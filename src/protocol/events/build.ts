// Makes an event of our own: hashed, signed and with its id. On the path of every sent event, so it
// serialises each part once and puts the three texts that are hashed and signed together from them.

import { encodeCanonicalJson } from '../canonical-json.ts';
import { referenceHashOf, referenceHashOfText, sha256 } from '../hashing.ts';
import type { EventId, RoomId, ServerName, UserId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { randomEventId } from '../opaque-ids.ts';
import { redactContent } from '../redaction.ts';
import type { RoomVersionRules } from '../roomversions/room-version.ts';
import { signText } from '../signing.ts';
import type { SigningKey } from '../signing-key.ts';
import { checkEventKey, checkEventSize } from './limits.ts';
import { Pdu, type PduJson, type PduRecord } from './pdu.ts';

/**
 * An event that is referred to. Room versions 1 and 2 also write down its hash: they need the whole record, or the
 * reference as another server has written it.
 */
export type EventReference = EventId | PduRecord | readonly [EventId, JsonObject];

export interface NewPdu {
  readonly rules: RoomVersionRules;
  /** Absent for m.room.create of room version 12. */
  readonly roomId?: RoomId | undefined;
  readonly sender: UserId;
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly prevEvents: readonly EventReference[];
  readonly authEvents: readonly EventReference[];
  readonly depth: number;
  /** ms since the epoch. */
  readonly originServerTs: number;
  /** For m.room.redaction: put where the room version wants it. */
  readonly redacts?: EventId | undefined;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
}

/**
 * Throws M_BAD_JSON for content that the room version does not take, M_TOO_LARGE for an event, type or state
 * key beyond the limits. What the event may do is not checked.
 */
export function buildPdu(event: NewPdu): Pdu {
  const { rules } = event;
  checkEventKey('type', event.type);
  if (event.stateKey !== undefined) checkEventKey('state_key', event.stateKey);
  const json = unsignedJson(event);
  const texts = new PduTexts(json, rules);

  const hashes = { sha256: sha256(texts.hashed()) };
  const hashesText = `{"sha256":"${hashes.sha256}"}`;
  const signedText = texts.signed(hashesText);
  const signature = signText(signedText, event.signingKey);
  const signatures = { [event.serverName]: { [event.signingKey.keyId]: signature } };

  const jsonText = texts.whole(hashesText, JSON.stringify(signatures));
  checkEventSize(jsonText);
  const eventId = json.event_id ?? `$${referenceHashOfText(signedText, rules)}`;
  return Pdu.from(
    { eventId: eventId as EventId, roomVersion: rules.id, json: { ...json, hashes, signatures } },
    jsonText,
  );
}

function unsignedJson(event: NewPdu): PduJson {
  const { rules, redacts } = event;
  const inContent = redacts !== undefined && rules.redactsInContent;
  return {
    auth_events: references(event.authEvents, rules),
    content: inContent ? { ...event.content, redacts } : event.content,
    depth: event.depth,
    ...(rules.eventFormat === 'v1' ? { event_id: randomEventId(event.serverName) } : undefined),
    origin_server_ts: event.originServerTs,
    prev_events: references(event.prevEvents, rules),
    ...(redacts !== undefined && !inContent ? { redacts } : undefined),
    ...(event.roomId === undefined ? undefined : { room_id: event.roomId }),
    sender: event.sender,
    ...(event.stateKey === undefined ? undefined : { state_key: event.stateKey }),
    type: event.type,
  };
}

function references(
  events: readonly EventReference[],
  rules: RoomVersionRules,
): readonly (string | readonly (string | JsonObject)[])[] {
  if (rules.eventFormat !== 'v1') {
    return events.map((event) => (typeof event === 'string' ? event : idOf(event)));
  }
  return events.map((event) => {
    if (typeof event === 'string') throw new Error('room versions 1 and 2 refer by id and hash');
    if (isWritten(event)) return event;
    return [event.eventId, { sha256: referenceHashOf(event.json, rules) }];
  });
}

type WrittenReference = readonly [EventId, JsonObject];

function isWritten(event: PduRecord | WrittenReference): event is WrittenReference {
  return Array.isArray(event);
}

function idOf(event: PduRecord | WrittenReference): EventId {
  return isWritten(event) ? event[0] : event.eventId;
}

/** The canonical JSON of an event in its three shapes, from parts that are each encoded once. */
class PduTexts {
  readonly #authEvents: string;
  readonly #content: string;
  readonly #redactedContent: string;
  readonly #depthAndId: string;
  readonly #timeAndPrevEvents: string;
  readonly #redacts: string;
  readonly #roomAndSender: string;
  readonly #stateKeyAndType: string;

  constructor(json: PduJson, rules: RoomVersionRules) {
    const options = { strict: rules.strictCanonicalJson };
    const member = (name: string, value: unknown) =>
      value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`;
    const redacted = redactContent(json, rules);
    this.#authEvents = `{"auth_events":${JSON.stringify(json.auth_events)},"content":`;
    this.#content = encodeCanonicalJson(json.content, options);
    this.#redactedContent =
      redacted === json.content ? this.#content : encodeCanonicalJson(redacted, options);
    this.#depthAndId = `,"depth":${json.depth}${member('event_id', json.event_id)}`;
    this.#timeAndPrevEvents = `,"origin_server_ts":${json.origin_server_ts}${member('prev_events', json.prev_events)}`;
    this.#redacts = member('redacts', json.redacts);
    this.#roomAndSender = `${member('room_id', json.room_id)}${member('sender', json.sender)}`;
    this.#stateKeyAndType = `${member('state_key', json.state_key)}${member('type', json.type)}}`;
  }

  /** What the content hash covers. */
  hashed(): string {
    return `${this.#authEvents}${this.#content}${this.#depthAndId}${this.#timeAndPrevEvents}${this.#redacts}${this.#roomAndSender}${this.#stateKeyAndType}`;
  }

  /** What signatures and the reference hash cover. */
  signed(hashes: string): string {
    return `${this.#authEvents}${this.#redactedContent}${this.#depthAndId},"hashes":${hashes}${this.#timeAndPrevEvents}${this.#roomAndSender}${this.#stateKeyAndType}`;
  }

  whole(hashes: string, signatures: string): string {
    return `${this.#authEvents}${this.#content}${this.#depthAndId},"hashes":${hashes}${this.#timeAndPrevEvents}${this.#redacts}${this.#roomAndSender},"signatures":${signatures}${this.#stateKeyAndType}`;
  }
}
