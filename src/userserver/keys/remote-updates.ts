// What other servers tell of the keys of their users: m.device_list_update and m.signing_key_update.

import type { Transaction } from '../../database/database.ts';
import {
  isDeviceId,
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { UserserverContext } from '../context.ts';
import type { UserChange } from '../output.ts';
import {
  countRemoteDevices,
  deleteRemoteDevice,
  type RemoteListRow,
  selectRemoteList,
  updateListStream,
  updateListsStale,
  updateRemoteSigningKeys,
  upsertRemoteDevice,
} from '../store/remote-device-lists.ts';
import type { KeysApi } from './keys-api.ts';
import { crossSigningKey } from './remote-keys-check.ts';
import { deviceRow, MAX_DEVICES, type RemoteLists, textOf } from './remote-lists.ts';

type Update = Parameters<KeysApi['performReceiveDeviceListUpdate']>[0];
type Received = ReturnType<KeysApi['performReceiveDeviceListUpdate']>;

const NOTHING = { position: 0 };
const CHANGED: readonly UserChange[] = [{ kind: 'RemoteDeviceListChanged' }];

/**
 * Lists that are not kept here are asked for when they are wanted; that they have changed is told all the same. One that is
 * kept and lacks what the update refers to is fetched: the server "must resynchronise its list" (Server-Server API, "Device
 * Management").
 */
export async function receiveDeviceListUpdate(
  context: UserserverContext,
  lists: RemoteLists,
  { origin, content }: Update,
): Received {
  const userId = userOf(origin, content);
  if (userId === undefined || !isDeviceId(content.device_id)) return NOTHING;
  let isLacking = false;
  const written = await context.write(userId, async (tx) => {
    const list = await selectRemoteList(tx, userId);
    if (list === undefined) return CHANGED;
    const changes = await applyUpdate(tx, list, content);
    isLacking = ((await selectRemoteList(tx, userId))?.is_stale ?? 0) > 0;
    return changes;
  });
  if (isLacking) lists.resync(userId);
  return written;
}

async function applyUpdate(
  tx: Transaction,
  list: RemoteListRow,
  content: JsonObject,
): Promise<readonly UserChange[]> {
  const { user_id: userId, is_stale: isStale } = list;
  const streamId = content.stream_id;
  if (isStale === 0 && Number.isSafeInteger(streamId) && Number(streamId) <= list.stream_id) {
    return [];
  }
  const device = deviceRow(content, userId);
  const isNext = Number.isSafeInteger(streamId) && followsOn(content.prev_id, list.stream_id);
  if (isStale > 0 || !isNext || device === undefined || (await isFull(tx, content, userId))) {
    await updateListsStale(tx, [userId]);
    return CHANGED;
  }
  if (content.deleted === true) await deleteRemoteDevice(tx, userId, device.device_id);
  else await upsertRemoteDevice(tx, userId, device);
  await updateListStream(tx, userId, Number(streamId));
  return CHANGED;
}

/** Fetched as a whole it is cut. */
async function isFull(tx: Transaction, { deleted }: JsonObject, userId: UserId): Promise<boolean> {
  return deleted !== true && (await countRemoteDevices(tx, userId)) >= MAX_DEVICES;
}

/** Without gap: all that the update refers to has come. */
function followsOn(prevId: unknown, streamId: number): boolean {
  if (!Array.isArray(prevId) || prevId.length === 0) return false;
  return prevId.every((id) => Number.isSafeInteger(id) && id <= streamId);
}

export async function receiveSigningKeyUpdate(
  context: UserserverContext,
  { origin, content }: Update,
): Received {
  const userId = userOf(origin, content);
  if (userId === undefined) return NOTHING;
  const { master } = crossSigningKey(content.master_key, userId, 'master');
  const { self_signing: own } = crossSigningKey(content.self_signing_key, userId, 'self_signing');
  return await context.write(userId, async (tx) => {
    await updateRemoteSigningKeys(tx, userId, {
      master: textOf(master) ?? undefined,
      selfSigning: textOf(own) ?? undefined,
    });
    return CHANGED;
  });
}

/** Servers speak for their own users only. */
function userOf(origin: ServerName, { user_id: userId }: JsonObject): UserId | undefined {
  return isUserId(userId) && serverNameOf(userId) === origin ? userId : undefined;
}
