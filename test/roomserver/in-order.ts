// Forces the order in which calls come to a room's lock.

import { setImmediate } from 'node:timers/promises';
import type { RoomId } from '../../src/protocol/identifiers.ts';
import type { TestRoomserver } from './harness.ts';

/** Has the calls come to the room's lock one after another while it is held, so that they share a batch. */
export async function inOrder<T>(
  { context }: TestRoomserver,
  roomId: RoomId,
  calls: readonly (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const gate = Promise.withResolvers<void>();
  const held = context.rooms.change(roomId, () => gate.promise);
  const results: Promise<T>[] = [];
  for (const call of calls) {
    results.push(call());
    await setImmediate();
  }
  const settled = Promise.allSettled(results);
  gate.resolve();
  await held;
  return settled;
}
