// Consumes `edu.to_device`: messages wait for their device until it has synced past them.

import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import type { DeviceId, UserId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { wakeAll } from '../live/wake.ts';
import { insertToDeviceMessages, type StoredMessage } from '../store/to-device.ts';

type Topic = 'edu.to_device';

/** The devices of users to whom something is addressed. Messages to devices that do not exist are dropped. */
type DevicesOf = ReadonlyMap<UserId, readonly DeviceId[]>;

export function consumeToDevice(context: SyncserverContext): Consumer<Topic, DevicesOf> {
  return {
    name: 'syncserver',
    topic: 'edu.to_device',
    database: context.database,
    prepare: (entries) => devicesOf(context, entries),
    apply: async (tx, entries, devices) => {
      const messages = entries.flatMap((entry) => messagesOf(entry, devices));
      await insertToDeviceMessages(tx, messages);
      tx.afterCommit(() => tell(context, messages, entries.at(-1)?.position ?? 0));
    },
  };
}

async function devicesOf(
  { userserver }: SyncserverContext,
  entries: readonly LogEntry<Topic>[],
): Promise<DevicesOf> {
  const devices = new Map<UserId, readonly DeviceId[]>();
  for (const { entry } of entries) {
    const userId = entry.recipient;
    if (devices.has(userId)) continue;
    const found = await userserver.queryDevices({ userId });
    devices.set(
      userId,
      found.map(({ deviceId }) => deviceId),
    );
  }
  return devices;
}

function messagesOf({ entry, position }: LogEntry<Topic>, devices: DevicesOf): StoredMessage[] {
  const { recipient: userId, sender, type } = entry;
  const content = JSON.stringify(entry.content);
  return (devices.get(userId) ?? [])
    .filter((deviceId) => entry.deviceId === '*' || entry.deviceId === deviceId)
    .map((deviceId) => ({ userId, deviceId, position, sender, type, content }));
}

function tell(
  { live, positions }: SyncserverContext,
  messages: readonly StoredMessage[],
  position: number,
): void {
  const woken = new Set<LiveUser | undefined>();
  for (const message of messages) {
    const { userId, deviceId } = message;
    woken.add(live.change(userId, (user) => user.addMessage(deviceId, message.position)));
  }
  positions.advance('toDevice', position);
  wakeAll(woken);
}
