// Keeps the rooms in step with what the userserver tells of its users.

import type { RoomserverContext } from '../context.ts';
import { UserChangeWorker } from './user-change-worker.ts';
import { consumeUserserverOutput } from './userserver-output.ts';

const SETTLE_TIMEOUT_MS = 10_000;

export interface Following {
  /** Resolves when what was written up to the position has reached the rooms, as far as it can now; false: not consumed. */
  settled(position: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Takes up what a restart has left, too. */
export function followUsers(context: RoomserverContext): Following {
  const worker = new UserChangeWorker(context);
  const subscription = context.eventLog.consume(
    consumeUserserverOutput(context, () => worker.wake()),
  );
  worker.wake();
  return {
    settled: async (position) => {
      const isConsumed = await subscription.reached(position, SETTLE_TIMEOUT_MS);
      await worker.idle();
      return isConsumed;
    },
    close: async () => {
      await subscription.close();
      await worker.close();
    },
  };
}
