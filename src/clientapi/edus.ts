// What users tell each other outside of rooms' histories, handed to the event log.

import {
  ENTRY_VERSION,
  type EntryOf,
  type Presence,
  type Receipt,
  type ToDeviceMessage,
  type Typing,
} from '../eventlog/entries.ts';
import type { RoomId, UserId } from '../protocol/identifiers.ts';
import type { ClientapiContext } from './context.ts';

type Publishing = Pick<ClientapiContext, 'database' | 'eventLog'>;

export async function publishReceipts(
  context: Publishing,
  roomId: RoomId,
  receipts: readonly Omit<Receipt, 'v'>[],
): Promise<{ position: number }> {
  const entries = receipts.map((receipt) => ({
    key: roomId,
    entry: { v: ENTRY_VERSION, ...receipt },
  }));
  return { position: await publish(context, 'edu.receipt', entries) };
}

export async function publishToDevice(
  context: Publishing,
  messages: readonly Omit<ToDeviceMessage, 'v'>[],
): Promise<{ position: number }> {
  const entries = messages.map((message) => ({
    key: message.recipient,
    entry: { v: ENTRY_VERSION, ...message },
  }));
  return { position: await publish(context, 'edu.to_device', entries) };
}

export function publishTyping({ eventLog }: Publishing, roomId: RoomId, typing: Typing): void {
  eventLog.publishEphemeral('edu.typing', roomId, typing);
}

export function publishPresence(
  { eventLog }: Publishing,
  userId: UserId,
  presence: Presence,
): void {
  eventLog.publishEphemeral('edu.presence', userId, presence);
}

async function publish<T extends 'edu.receipt' | 'edu.to_device'>(
  { database, eventLog }: Publishing,
  topic: T,
  entries: readonly { readonly key: string; readonly entry: EntryOf[T] }[],
): Promise<number> {
  const ticket = await database.transact((tx) => eventLog.append(tx, topic, entries));
  return await eventLog.position(ticket);
}
