// Keeps the rooms in step with what the userserver tells of its users.

import type { RoomserverContext } from '../context.ts';
import { UserChangeWorker } from './user-change-worker.ts';
import { consumeUserserverOutput } from './userserver-output.ts';

export interface Following {
  /** Resolves when what has been consumed so far has reached the rooms. */
  idle(): Promise<void>;
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
    idle: () => worker.idle(),
    close: async () => {
      await subscription.close();
      await worker.close();
    },
  };
}
