// Consumes `userserver.output`: changed devices and cross-signing keys of users here, which the servers that share a room
// with them are told of.

import type { DeviceListChanged, SigningKeysChanged } from '../../eventlog/entries.ts';
import type { Consumer, LogEntry, Subscription } from '../../eventlog/eventlog.ts';
import type { UserId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { FederationsenderContext } from '../context.ts';
import { type DeviceChange, insertChange } from '../store/changes.ts';
import { selectNeighbours } from '../store/hosts.ts';
import { insertDeviceChange } from '../store/to-device.ts';

type Topic = 'userserver.output';

/** How long is waited for what has been said of rooms, in ms. */
const ROOMS_WITHIN_MS = 5_000;

export function consumeUserserverOutput(
  { dispatcher, database, eventLog }: FederationsenderContext,
  rooms: Subscription,
): Consumer<Topic> {
  return {
    name: 'federationsender',
    topic: 'userserver.output',
    database,
    // Who has joined a room before her devices changed shares it now.
    prepare: async () => {
      await rooms.reached(await eventLog.head('roomserver.output'), ROOMS_WITHIN_MS);
      return undefined;
    },
    apply: async (tx, entries) => {
      const woken = new Set<number>();
      for (const entry of entries) {
        const change = changeOf(entry);
        if (change === undefined) continue;
        const destinations = await selectNeighbours(tx, change.userId);
        await insertDeviceChange(tx, destinations, change);
        await insertChange(tx, change);
        for (const id of destinations) woken.add(id);
      }
      tx.afterCommit(() => dispatcher.wake([...woken]));
    },
  };
}

function changeOf({ key, entry, position }: LogEntry<Topic>): DeviceChange | undefined {
  const userId = key as UserId;
  switch (entry.kind) {
    case 'DeviceListChanged':
    case 'SigningKeysChanged':
      return { about: `${entry.kind} ${userId}`, userId, position, edu: eduOf(userId, entry) };
    default:
      return undefined;
  }
}

function eduOf(userId: UserId, entry: DeviceListChanged | SigningKeysChanged): string {
  const isList = entry.kind === 'DeviceListChanged';
  const edu = isList ? deviceListUpdate(userId, entry) : signingKeyUpdate(userId, entry);
  return JSON.stringify(edu);
}

function deviceListUpdate(userId: UserId, entry: DeviceListChanged): JsonObject {
  const { deviceId, streamId, prevIds, deleted, keys, displayName } = entry;
  return {
    edu_type: 'm.device_list_update',
    content: {
      user_id: userId,
      device_id: deviceId,
      stream_id: streamId,
      prev_id: prevIds,
      ...(deleted === true && { deleted }),
      ...(keys !== undefined && { keys }),
      ...(displayName !== undefined && { device_display_name: displayName }),
    },
  };
}

function signingKeyUpdate(userId: UserId, entry: SigningKeysChanged): JsonObject {
  const { masterKey, selfSigningKey } = entry;
  return {
    edu_type: 'm.signing_key_update',
    content: {
      user_id: userId,
      ...(masterKey !== undefined && { master_key: masterKey }),
      ...(selfSigningKey !== undefined && { self_signing_key: selfSigningKey }),
    },
  };
}
