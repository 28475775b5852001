// Messages to the device. They are sent again until the device comes back with a token that is past them.

import type { JsonObject } from '../../protocol/json.ts';
import { deleteToDeviceMessages, selectToDeviceMessages } from '../store/to-device.ts';
import type { SyncRequest } from './sync-request.ts';

const MAX_MESSAGES = 100;
/** Of one response: each message may be as large as a request, and what gets lost on its way is sent again as a whole. */
const MAX_BYTES = 1024 * 1024;

export interface DeviceMessages {
  readonly events: readonly JsonObject[];
  /** How far the device has been told. */
  readonly upTo: number;
}

export async function deviceMessages(sync: SyncRequest): Promise<DeviceMessages> {
  const { context, viewer, device, since, now } = sync;
  const after = since?.toDevice ?? 0;
  if (device.newestMessage <= after) return { events: [], upTo: now.toDevice };
  const messages = await selectToDeviceMessages(context.database, {
    userId: viewer.userId,
    deviceId: viewer.deviceId,
    after,
    upTo: now.toDevice,
    count: MAX_MESSAGES,
    bytes: MAX_BYTES,
  });
  const last = messages.at(-1)?.position ?? device.newestMessage;
  return {
    events: messages.map(({ sender, type, content }) => ({
      sender,
      type,
      content: JSON.parse(content),
    })),
    upTo: last < device.newestMessage ? last : now.toDevice,
  };
}

/** The device has come back with `since`: what is up to there has reached it. */
export function hasAcknowledged({ device, since }: Pick<SyncRequest, 'device' | 'since'>): boolean {
  return device.oldestMessage !== 0 && device.oldestMessage <= (since?.toDevice ?? 0);
}

export async function deleteAcknowledged({
  context,
  viewer,
  since,
}: Pick<SyncRequest, 'context' | 'viewer' | 'since'>): Promise<void> {
  const { userId, deviceId } = viewer;
  const upTo = since?.toDevice ?? 0;
  await context.database.transact(async (tx) => {
    await deleteToDeviceMessages(tx, { userId, deviceId, upTo });
    tx.afterCommit(() => {
      context.live.change(userId, (user) => user.messagesDeleted(deviceId, upTo));
    });
  });
}
