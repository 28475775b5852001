// POST /keys/query: devices and cross-signing keys of users here and elsewhere.

import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import { type KeySignatureRow, selectVisibleSignatures } from '../store/key-signatures.ts';
import { byServer } from './by-server.ts';
import { publicKeyOf } from './key-checks.ts';
import type { CrossSigningUsage, WantedKeys } from './keys-api.ts';
import { queryRemote, type RemoteSource } from './query-remote.ts';
import { NO_KEYS, onlyDevices, signedKey, type VisibleKeys, visibleKeys } from './visible-keys.ts';

export interface QueryRequest {
  readonly requester: UserId;
  readonly wanted: WantedKeys;
  readonly followed?: readonly UserId[];
  readonly timeoutMs: number;
}

export async function queryKeys(
  context: UserserverContext,
  remote: RemoteSource,
  { requester, wanted, followed = [], timeoutMs }: QueryRequest,
): Promise<JsonObject> {
  const users = byServer(wanted, context.serverName);
  const own = await localKeys(context, users.local, requester);
  const query = { wanted: users.remote, followed, timeoutMs };
  const { keys, failures } = await queryRemote(context, remote, query);
  const signed = await signedByRequester(context, requester, keys);
  return { ...bodyOf(new Map([...own, ...signed])), failures };
}

/** Users who have no keys are told as such: clients ask again for those of whom nothing is said. */
export async function localKeys(
  { database }: UserserverContext,
  wanted: WantedKeys,
  viewer: UserId | undefined,
): Promise<Map<UserId, VisibleKeys>> {
  const userIds = Object.keys(wanted) as UserId[];
  const found = await visibleKeys(database, userIds, viewer);
  return new Map(
    userIds.map((userId) => [userId, onlyDevices(found.get(userId) ?? NO_KEYS, wanted[userId])]),
  );
}

/** What the requester has signed is kept here, not where the users are. */
async function signedByRequester(
  { database }: UserserverContext,
  requester: UserId,
  others: ReadonlyMap<UserId, VisibleKeys>,
): Promise<ReadonlyMap<UserId, VisibleKeys>> {
  if (others.size === 0) return others;
  const signatures = Map.groupBy(
    await selectVisibleSignatures(database, [...others.keys()], requester),
    (row) => row.target_user_id,
  );
  return new Map(
    [...others].map(([userId, keys]) => [userId, signedBy(keys, signatures.get(userId) ?? [])]),
  );
}

function signedBy(keys: VisibleKeys, signatures: readonly KeySignatureRow[]): VisibleKeys {
  const { master } = keys.crossSigning;
  if (master === undefined) return keys;
  const publicKey = publicKeyOf(master);
  const added = signatures.filter((row) => row.target_key_id === publicKey);
  return { ...keys, crossSigning: { ...keys.crossSigning, master: signedKey(master, added) } };
}

/** In the form that clients and servers are answered in. */
export function bodyOf(users: ReadonlyMap<UserId, VisibleKeys>): JsonObject {
  return {
    device_keys: Object.fromEntries([...users].map(([id, keys]) => [id, devicesOf(keys)])),
    ...crossSigningOf(users, 'master'),
    ...crossSigningOf(users, 'self_signing'),
    ...crossSigningOf(users, 'user_signing'),
  };
}

function devicesOf({ devices }: VisibleKeys): JsonObject {
  return Object.fromEntries(
    [...devices].map(([deviceId, { keys, displayName }]) => {
      const unsigned = displayName === undefined ? {} : { device_display_name: displayName };
      return [deviceId, { ...keys, unsigned }];
    }),
  );
}

function crossSigningOf(
  users: ReadonlyMap<UserId, VisibleKeys>,
  usage: CrossSigningUsage,
): JsonObject {
  const keys = [...users].flatMap(([userId, { crossSigning }]) => {
    const key = crossSigning[usage];
    return key === undefined ? [] : [[userId, key] as const];
  });
  return { [`${usage}_keys`]: Object.fromEntries(keys) };
}
