// Device lists of users of other servers whom somebody here shares a room with: their servers tell of changes, so that
// they need not be asked again for each query.

import { ConcurrencyLimit } from '../../concurrency-limit.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import { serverNameOf } from '../../protocol/identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import {
  insertStaleList,
  type RemoteDeviceRow,
  type RemoteListRow,
  replaceRemoteList,
  selectRemoteDevices,
  selectRemoteList,
  selectRemoteLists,
} from '../store/remote-device-lists.ts';
import { parseKeyText } from './key-checks.ts';
import { crossSigningKey, deviceKeysOf, displayNameOf } from './remote-keys-check.ts';
import type { RemoteUserKeys } from './remote-user-keys.ts';
import type { VisibleDevice, VisibleKeys } from './visible-keys.ts';

export const MAX_DEVICES = 2_000;
/** In the background; what is too much is fetched when it is wanted. */
const RESYNCS = { running: 10, waiting: 1_000 };
const RESYNC_TIMEOUT_MS = 30_000;

interface ListRequest {
  readonly userId: UserId;
  readonly timeoutMs: number;
}

/** Fetches lists, each once at a time. */
export class RemoteLists {
  readonly #context: UserserverContext;
  readonly #remote: RemoteUserKeys;
  readonly #fetching = new Map<UserId, Promise<VisibleKeys>>();
  readonly #resyncs = new ConcurrencyLimit(RESYNCS);

  constructor(context: UserserverContext, remote: RemoteUserKeys) {
    this.#context = context;
    this.#remote = remote;
  }

  /** Fetches the list of a user, and keeps it. Rejects where her server does not answer, or answers nonsense. */
  fetch(request: ListRequest): Promise<VisibleKeys> {
    const { userId } = request;
    const running = this.#fetching.get(userId);
    if (running !== undefined) return running;
    const fetching = fetchList(this.#context, this.#remote, request).finally(() =>
      this.#fetching.delete(userId),
    );
    this.#fetching.set(userId, fetching);
    return fetching;
  }

  /** Of a list that does not hold any more. In the background. */
  resync(userId: UserId): void {
    const work = this.#resyncs.run(() => this.fetch({ userId, timeoutMs: RESYNC_TIMEOUT_MS }));
    work.catch((error: unknown) => {
      this.#context.logger.debug({ userId, err: error }, 'a list of devices is not fetched now');
    });
  }
}

/** What is known and holds; of the others nothing. */
export async function knownLists(
  { database }: UserserverContext,
  userIds: readonly UserId[],
): Promise<Map<UserId, VisibleKeys>> {
  if (userIds.length === 0) return new Map();
  const lists = await selectRemoteLists(database, userIds);
  const devices = await selectRemoteDevices(database, userIds);
  const devicesOf = Map.groupBy(devices, (device) => device.user_id);
  const fresh = lists.filter((row) => row.is_stale === 0);
  return new Map(fresh.map((row) => [row.user_id, keysOf(row, devicesOf.get(row.user_id) ?? [])]));
}

async function fetchList(
  context: UserserverContext,
  remote: RemoteUserKeys,
  { userId, timeoutMs }: ListRequest,
): Promise<VisibleKeys> {
  const { database } = context;
  const before = await database.transact(async (tx) => {
    await insertStaleList(tx, userId);
    return await selectRemoteList(tx, userId);
  });
  if (before?.is_stale === 0) {
    // It has come meanwhile; an answer to a further request could be older than what is told of it from now on.
    const known = (await knownLists(context, [userId])).get(userId);
    if (known !== undefined) return known;
  }
  const server = serverNameOf(userId);
  const fetched = parseList(await remote.devices({ server, userId, timeoutMs }), userId);
  const staleBefore = before?.is_stale ?? 1;
  const isNews = before?.stream_id !== fetched.stream_id;
  await context.write(userId, async (tx) => {
    await replaceRemoteList(tx, { ...fetched, staleBefore });
    // Others than who asks may have known it as it was.
    return isNews ? [{ kind: 'RemoteDeviceListChanged' }] : [];
  });
  return keysOf(fetched, fetched.devices);
}

type Fetched = Omit<RemoteListRow, 'is_stale'> & { readonly devices: readonly RemoteDeviceRow[] };

function parseList(body: JsonObject, userId: UserId): Fetched {
  const { stream_id: streamId } = body;
  if (body.user_id !== userId || !Number.isSafeInteger(streamId)) {
    throw new Error('The list of devices is malformed');
  }
  const listed: readonly JsonValue[] = Array.isArray(body.devices) ? body.devices : [];
  const { master } = crossSigningKey(body.master_key, userId, 'master');
  const { self_signing: selfSigning } = crossSigningKey(
    body.self_signing_key,
    userId,
    'self_signing',
  );
  const devices = new Map(
    listed.slice(0, MAX_DEVICES).flatMap((json) => {
      const device = deviceRow(json, userId);
      return device === undefined ? [] : [[device.device_id, device] as const];
    }),
  );
  return {
    user_id: userId,
    stream_id: streamId as number,
    master_key: textOf(master),
    self_signing_key: textOf(selfSigning),
    devices: [...devices.values()],
  };
}

/** Also of `m.device_list_update`. Undefined where it is malformed; keys that are not the device's are left out. */
export function deviceRow(json: JsonValue, userId: UserId): RemoteDeviceRow | undefined {
  if (!isJsonObject(json) || typeof json.device_id !== 'string') return undefined;
  const { device_id: deviceId, keys: given } = json;
  const keys = given === undefined ? undefined : deviceKeysOf(given, userId, deviceId);
  if (given !== undefined && keys === undefined) return undefined;
  return {
    device_id: deviceId as RemoteDeviceRow['device_id'],
    display_name: displayNameOf(json.device_display_name) ?? null,
    keys: textOf(keys),
  };
}

export function textOf(json: JsonObject | undefined): string | null {
  return json === undefined ? null : JSON.stringify(json);
}

function keysOf(
  row: Pick<RemoteListRow, 'master_key' | 'self_signing_key'>,
  devices: readonly RemoteDeviceRow[],
): VisibleKeys {
  const withKeys = devices.flatMap(({ device_id, display_name, keys }) => {
    if (keys === null) return [];
    const device: VisibleDevice = {
      keys: parseKeyText(keys),
      displayName: display_name ?? undefined,
    };
    return [[device_id, device] as const];
  });
  return {
    devices: new Map(withKeys),
    crossSigning: {
      ...(row.master_key !== null && { master: parseKeyText(row.master_key) }),
      ...(row.self_signing_key !== null && { self_signing: parseKeyText(row.self_signing_key) }),
    },
  };
}
