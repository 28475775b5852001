// Events of room versions 11 and 12: how they are redacted, hashed, signed and named, and what is checked of received ones.

import { canonical, type Json, sha256, unpadded, without } from './json.ts';
import { isSignature, type PeerKey, signedJson } from './signing.ts';

export type PeerRoomVersion = '11' | '12';

const KEPT = [
  ...['type', 'room_id', 'sender', 'state_key', 'content', 'hashes', 'signatures'],
  ...['event_id', 'depth', 'prev_events', 'auth_events', 'origin_server_ts'],
];
const KEPT_CONTENT: Readonly<Record<string, readonly string[]>> = {
  'm.room.member': ['membership', 'join_authorised_via_users_server'],
  'm.room.join_rules': ['join_rule', 'allow'],
  'm.room.history_visibility': ['history_visibility'],
  'm.room.redaction': ['redacts'],
  'm.room.power_levels': [
    ...['ban', 'events', 'events_default', 'invite', 'kick', 'redact'],
    ...['state_default', 'users', 'users_default'],
  ],
};

export function redacted(event: Json): Json {
  const kept = without(event, ...Object.keys(event).filter((key) => !KEPT.includes(key)));
  if (event.type === 'm.room.create') return kept;
  const names = KEPT_CONTENT[event.type] ?? [];
  const others = Object.keys(event.content).filter((name) => !names.includes(name));
  return { ...kept, content: without(event.content, ...others) };
}

export function contentHash(event: Json): string {
  return unpadded(sha256(canonical(without(event, 'unsigned', 'signatures', 'hashes'))));
}

export function idOf(event: Json): string {
  const text = canonical(without(redacted(event), 'signatures', 'unsigned'));
  return `$${sha256(text).toString('base64url')}`;
}

/** Hashes and signs what has neither. */
export function finished(event: Json, server: string, key: PeerKey): Json {
  const hashed = { ...event, hashes: { sha256: contentHash(event) } };
  const { signatures } = signedJson(redacted(hashed), server, key);
  return { ...hashed, signatures };
}

/** In version 12 a room is named by its m.room.create event. */
export function roomIdOf(event: Json): string {
  return event.room_id ?? `!${idOf(event).slice(1)}`;
}

export function serverOf(sender: string): string {
  return sender.slice(sender.indexOf(':') + 1);
}

/** `keys`: public ones of the sender's server, by id. Throws what is wrong with the event. */
export function checkEvent(event: Json, keys: Readonly<Record<string, string>>): void {
  if (contentHash(event) !== event.hashes?.sha256) throw new Error(`${idOf(event)}: wrong hash`);
  const server = serverOf(event.sender);
  const text = canonical(without(redacted(event), 'signatures', 'unsigned'));
  const signatures = Object.entries<unknown>(event.signatures?.[server] ?? {});
  const isSigned = signatures.some(
    ([id, signature]) => keys[id] !== undefined && isSignature(text, signature, keys[id]),
  );
  if (!isSigned) throw new Error(`${idOf(event)}: not signed by ${server}`);
}
