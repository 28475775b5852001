// Which keys a client, or another server, asks for.

import { Type } from '../json-schema.ts';
import { MatrixError } from '../protocol/error.ts';
import { type DeviceId, parseDeviceId, parseUserId, type UserId } from '../protocol/identifiers.ts';
import { jsonObject } from './route.ts';

/** Of bodies: device IDs by user. */
export const wantedKeys = Type.Record(Type.String(), Type.Array(Type.String()));
/** Of bodies: algorithms by user and device. */
export const wantedOneTimeKeys = Type.Record(
  Type.String(),
  Type.Record(Type.String(), Type.String()),
);
/** Of bodies: keys of any form by `algorithm:keyId`. */
export const keysByName = jsonObject;

/** How long other servers are waited for, in ms. */
export const keyTimeout = Type.Optional(Type.Integer({ minimum: 0 }));
const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 60_000;
const MAX_USERS = 10_000;

export function timeoutMsOf(timeout: number | undefined): number {
  return Math.min(timeout ?? DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS);
}

/** Throws M_INVALID_PARAM, M_TOO_LARGE. */
export function parseWantedKeys(
  wanted: Readonly<Record<string, readonly string[]>>,
): Record<UserId, DeviceId[]> {
  return byUser(wanted, (deviceIds) => deviceIds.map(parseDeviceId));
}

/** Throws M_INVALID_PARAM, M_TOO_LARGE. */
export function parseWantedOneTimeKeys(
  wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Record<UserId, Record<DeviceId, string>> {
  return byUser(wanted, (algorithms) =>
    Object.fromEntries(
      Object.entries(algorithms).map(([deviceId, algorithm]) => [
        parseDeviceId(deviceId),
        algorithm,
      ]),
    ),
  );
}

function byUser<T, U>(wanted: Readonly<Record<string, T>>, parse: (value: T) => U) {
  const entries = Object.entries(wanted);
  if (entries.length > MAX_USERS) {
    throw new MatrixError('M_TOO_LARGE', `At most ${MAX_USERS} users are asked for at a time`);
  }
  return Object.fromEntries(
    entries.map(([userId, value]) => [parseUserId(userId), parse(value)]),
  ) as Record<UserId, U>;
}
