// Content hash, reference hash and event id (Server-Server API, "Signing Events").

import { hash } from 'node:crypto';
import { decodeBase64, encodeBase64, withoutPadding } from './base64.ts';
import { encodeCanonicalJson } from './canonical-json.ts';
import type { PduJson } from './events/pdu.ts';
import type { EventId } from './identifiers.ts';
import { isJsonObject } from './json.ts';
import { redactPdu } from './redaction.ts';
import type { RoomVersionRules } from './roomversions/room-version.ts';

/** The hash over all of the event, in unpadded base64, as it belongs in `hashes.sha256`. */
export function contentHashOf(json: PduJson, rules: RoomVersionRules): string {
  const hashed = { ...json, unsigned: undefined, signatures: undefined, hashes: undefined };
  return sha256(encodeCanonicalJson(hashed, { strict: rules.strictCanonicalJson }));
}

/** When it is false, the event is to be redacted before it is used. */
export function isContentHashValid(json: PduJson, rules: RoomVersionRules): boolean {
  const claimed = isJsonObject(json.hashes) ? decodeBase64(json.hashes.sha256) : undefined;
  return claimed !== undefined && encodeBase64(claimed) === contentHashOf(json, rules);
}

/** The hash over what redaction leaves, in unpadded base64: standard, or URL-safe from room version 4 on. */
export function referenceHashOf(json: PduJson, rules: RoomVersionRules): string {
  return referenceHashOfText(signedTextOf(json, rules), rules);
}

/** The canonical JSON of what redaction leaves of an event: signatures and the reference hash are made of it. */
export function signedTextOf(json: PduJson, rules: RoomVersionRules): string {
  const essential = { ...redactPdu(json, rules), signatures: undefined };
  return encodeCanonicalJson(essential, { strict: rules.strictCanonicalJson });
}

export function referenceHashOfText(signedText: string, rules: RoomVersionRules): string {
  return rules.eventFormat === 'v4' ? hash('sha256', signedText, 'base64url') : sha256(signedText);
}

/** `event_id` of room versions 1 and 2; the reference hash later. */
export function eventIdOf(json: PduJson, rules: RoomVersionRules): EventId {
  if (rules.eventFormat === 'v1') return json.event_id as EventId;
  return `$${referenceHashOf(json, rules)}` as EventId;
}

/** In unpadded standard base64. */
export function sha256(text: string): string {
  return withoutPadding(hash('sha256', text, 'base64'));
}
