// What servers that users of this one meet in a room are told of their devices: they were not told before (Server-Server API,
// "Device Management").

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import { insertChange, selectChanges } from '../store/changes.ts';
import { selectNewNeighbours } from '../store/hosts.ts';
import { insertDeviceChange } from '../store/to-device.ts';
import type { RoomBatch } from './room-batch.ts';

/** The users have joined the room, and are among its members. */
export async function tellOfDevices(
  batch: RoomBatch,
  roomId: RoomId,
  userIds: readonly UserId[],
): Promise<void> {
  for (const userId of userIds) {
    const met = await selectNewNeighbours(batch.tx, roomId, userId);
    if (met.length === 0) continue;
    const here = met.filter(({ isAway }) => !isAway).map(({ id }) => id);
    for (const change of await selectChanges(batch.tx, userId)) {
      await insertDeviceChange(batch.tx, here, change);
      // Those that catch up are told of what has come since.
      if (here.length < met.length) await insertChange(batch.tx, change);
    }
    batch.wake(here);
  }
}
