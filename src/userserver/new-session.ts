// Starting a session: a device, its access token and, for clients that can use one, its refresh token.

import type { Transaction } from '../database/database.ts';
import { MatrixError } from '../protocol/error.ts';
import type { DeviceId, UserId } from '../protocol/identifiers.ts';
import { randomDeviceId } from '../protocol/opaque-ids.ts';
import type { NewDevice, Session } from './api.ts';
import type { UserserverContext } from './context.ts';
import { checkDeviceDisplayName, checkDeviceId } from './device-names.ts';
import { deviceListChanges } from './keys/device-list-changes.ts';
import { appendChanges } from './output.ts';
import { selectCrossSigningKeys } from './store/cross-signing-keys.ts';
import { insertDevice } from './store/devices.ts';
import { deleteSessionsOfDevices, insertSession } from './store/sessions.ts';
import { createToken, type NewToken } from './tokens.ts';

const DEFAULT_LIFETIME_MS = 3_600_000;

export interface NewTokens {
  readonly access: NewToken;
  readonly refresh?: NewToken;
  /** ms. */
  readonly lifetimeMs?: number;
}

export function createTokens(context: UserserverContext, refreshable: boolean): NewTokens {
  const access = createToken('access');
  if (!refreshable) return { access };
  const lifetimeMs = context.config.accessTokenLifetimeMs ?? DEFAULT_LIFETIME_MS;
  return { access, refresh: createToken('refresh'), lifetimeMs };
}

/** A session that is not stored yet: whatever can fail or takes time, before the transaction. */
export interface PreparedSession {
  readonly device: NewDevice;
  readonly deviceId: DeviceId;
  readonly tokens: NewTokens;
}

/** Throws M_INVALID_PARAM for a bad device ID or name. */
export function prepareSession(context: UserserverContext, device: NewDevice): PreparedSession {
  checkDeviceId(device.deviceId);
  checkDeviceDisplayName(device.displayName);
  const tokens = createTokens(context, device.refreshable);
  return { device, deviceId: device.deviceId ?? randomDeviceId(), tokens };
}

/** The account is locked. A device that is there already keeps its name; its old tokens end. A new one is announced. */
export async function storeSession(
  context: UserserverContext,
  tx: Transaction,
  request: {
    readonly userId: UserId;
    readonly prepared: PreparedSession;
    /** There is nobody yet to announce the device to. */
    readonly isNewUser?: boolean;
  },
): Promise<Session> {
  const { userId, prepared } = request;
  const { deviceId, tokens } = prepared;
  const now = context.clock.now();
  const displayName = prepared.device.displayName;
  const isNew = await insertDevice(tx, { userId, deviceId, displayName, now });
  if (isNew && request.isNewUser !== true) {
    await checkNoKeyId(tx, userId, deviceId);
    const changes = await deviceListChanges(tx, userId, [deviceId]);
    await appendChanges(tx, context.eventLog, { userId, changes });
  }
  const ended = await deleteSessionsOfDevices(tx, userId, [deviceId]);
  context.tokenOwners.forgetAfterCommit(tx, ended);
  return storeTokens(context, tx, { userId, deviceId, tokens, replaces: null });
}

/** Ids of devices and of cross-signing keys are of one namespace. Throws M_INVALID_PARAM. */
async function checkNoKeyId(tx: Transaction, userId: UserId, deviceId: DeviceId): Promise<void> {
  const keys = await selectCrossSigningKeys(tx, [userId]);
  if (keys.some((row) => row.public_key === deviceId)) {
    throw new MatrixError('M_INVALID_PARAM', 'A cross-signing key has this device ID');
  }
}

/** `replaces`: the access hash of the generation before. */
export async function storeTokens(
  context: UserserverContext,
  tx: Transaction,
  request: {
    readonly userId: UserId;
    readonly deviceId: DeviceId;
    readonly tokens: NewTokens;
    readonly replaces: string | null;
  },
): Promise<Session> {
  const { userId, deviceId, tokens, replaces } = request;
  const { access, refresh, lifetimeMs } = tokens;
  await insertSession(tx, {
    access_hash: access.hash,
    refresh_hash: refresh?.hash ?? null,
    user_id: userId,
    device_id: deviceId,
    expires_ts: lifetimeMs === undefined ? null : context.clock.now() + lifetimeMs,
    replaces,
  });
  return {
    userId,
    deviceId,
    accessToken: access.token,
    ...(refresh && { refreshToken: refresh.token }),
    ...(lifetimeMs !== undefined && { expiresInMs: lifetimeMs }),
  };
}
