// Consumes `userserver.output`: what changed of account data and of devices, and devices that are gone.

import type { Transaction } from '../../database/database.ts';
import type { Consumer, LogEntry } from '../../eventlog/eventlog.ts';
import type { DeviceId, RoomId, UserId } from '../../protocol/identifiers.ts';
import type { SyncserverContext } from '../context.ts';
import type { LiveUser } from '../live/live-user.ts';
import { wakeAll } from '../live/wake.ts';
import {
  type AccountDataChange,
  deleteAccountDataOfUser,
  insertAccountDataChanges,
} from '../store/account-data.ts';
import { type DeviceListChange, upsertDeviceListChanges } from '../store/device-lists.ts';
import { deleteInitialSyncsOfDevice, deleteInitialSyncsOfUser } from '../store/initial-syncs.ts';
import { deletePeeksOfDevice, deletePeeksOfUser } from '../store/peeks.ts';
import {
  deleteToDeviceMessagesOfDevice,
  deleteToDeviceMessagesOfUser,
} from '../store/to-device.ts';
import { deviceListChangesOf, wakeForDeviceLists } from './device-list-entries.ts';

type Topic = 'userserver.output';

interface Batch {
  readonly tx: Transaction;
  /** The last of each kind, by user, room and type. */
  readonly accountData: Map<string, AccountDataChange>;
  readonly peekedRooms: Set<RoomId>;
  readonly deviceLists: DeviceListChange[];
  readonly changes: { readonly userId: UserId; readonly change: (user: LiveUser) => void }[];
}

export function consumeUserserverOutput(context: SyncserverContext): Consumer<Topic> {
  return {
    name: 'syncserver',
    topic: 'userserver.output',
    database: context.database,
    apply: async (tx, entries) => {
      const batch = newBatch(tx);
      for (const entry of entries) await applyEntry(batch, entry);
      await insertAccountDataChanges(tx, [...batch.accountData.values()]);
      await upsertDeviceListChanges(tx, lastOfEach(batch.deviceLists));
      if (batch.peekedRooms.size > 0) await context.interest.settle(tx, batch.peekedRooms);
      tx.afterCommit(() => tell(context, batch, entries.at(-1)?.position ?? 0));
    },
  };
}

function newBatch(tx: Transaction): Batch {
  return { tx, accountData: new Map(), peekedRooms: new Set(), deviceLists: [], changes: [] };
}

function lastOfEach(changes: readonly DeviceListChange[]): DeviceListChange[] {
  return [
    ...new Map(changes.map((change) => [`${change.userId}\0${change.seenBy}`, change])).values(),
  ];
}

async function applyEntry(batch: Batch, { key, position, entry }: LogEntry<Topic>): Promise<void> {
  const userId = key as UserId;
  batch.deviceLists.push(...deviceListChangesOf(userId, entry, position));
  switch (entry.kind) {
    case 'AccountDataChanged':
      return accountData(batch, { userId, roomId: entry.roomId ?? '', type: entry.type, position });
    case 'PushRulesChanged':
      return accountData(batch, { userId, roomId: '', type: 'm.push_rules', position });
    case 'DeviceDeleted':
      return deviceDeleted(batch, userId, entry.deviceId);
    case 'UserDeactivated':
      return userDeactivated(batch, userId);
    case 'ProfileChanged':
    case 'DeviceListChanged':
    case 'SigningKeysChanged':
    case 'KeysChangedForOne':
    case 'RemoteDeviceListChanged':
      return undefined;
  }
}

function accountData(batch: Batch, change: AccountDataChange): void {
  batch.accountData.set([change.userId, change.roomId, change.type].join('\0'), change);
  batch.changes.push({ userId: change.userId, change: (user) => user.addAccountData(change) });
}

async function deviceDeleted(batch: Batch, userId: UserId, deviceId: DeviceId): Promise<void> {
  const peeks = await deletePeeksOfDevice(batch.tx, userId, deviceId);
  for (const peek of peeks) batch.peekedRooms.add(peek.roomId);
  await deleteToDeviceMessagesOfDevice(batch.tx, userId, deviceId);
  await deleteInitialSyncsOfDevice(batch.tx, userId, deviceId);
  batch.changes.push({ userId, change: (user) => user.removeDevice(deviceId) });
}

async function userDeactivated(batch: Batch, userId: UserId): Promise<void> {
  const peeks = await deletePeeksOfUser(batch.tx, userId);
  for (const peek of peeks) batch.peekedRooms.add(peek.roomId);
  await deleteToDeviceMessagesOfUser(batch.tx, userId);
  await deleteInitialSyncsOfUser(batch.tx, userId);
  for (const [key, change] of batch.accountData) {
    if (change.userId === userId) batch.accountData.delete(key);
  }
  await deleteAccountDataOfUser(batch.tx, userId);
  batch.changes.push({ userId, change: (user) => user.removeAllDevices() });
}

function tell(context: SyncserverContext, batch: Batch, position: number): void {
  const { live, positions } = context;
  const woken = new Set<LiveUser | undefined>();
  for (const { userId, change } of batch.changes) woken.add(live.change(userId, change));
  for (const change of batch.deviceLists) context.deviceLists.add(change);
  positions.advance('users', position);
  wakeAll(woken);
  wakeForDeviceLists(context, batch.deviceLists);
}
