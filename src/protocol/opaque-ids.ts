// Random identifiers that mean nothing to anybody.

import { randomBytes } from 'node:crypto';
import type { DeviceId, EventId, MediaId, RoomId, ServerName } from './identifiers.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `length` letters, each with 5.7 bits of randomness. */
export function randomOpaqueId(length: number): string {
  let id = '';
  while (id.length < length) {
    for (const byte of randomBytes(length - id.length)) {
      // 208 is the largest multiple of 52 in a byte: what lies above would favour the first letters.
      if (byte < 208) id += LETTERS[byte % LETTERS.length];
    }
  }
  return id;
}

/** Ten capital letters, which people can compare. */
export function randomDeviceId(): DeviceId {
  return randomOpaqueId(10).toUpperCase() as DeviceId;
}

/** A room ID of room versions 1 to 11. */
export function randomRoomId(serverName: ServerName): RoomId {
  return `!${randomOpaqueId(18)}:${serverName}` as RoomId;
}

/** An event ID of room versions 1 and 2. */
export function randomEventId(serverName: ServerName): EventId {
  return `$${randomOpaqueId(18)}:${serverName}` as EventId;
}

export function randomMediaId(): MediaId {
  return randomOpaqueId(24) as MediaId;
}
