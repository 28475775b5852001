// A write is visible when it is acknowledged: waiting, before the answer, for the syncserver to have
// consumed what was written. It answers all the same when that takes too long.

import type { SyncserverApi } from '../syncserver/api.ts';

interface Syncing {
  readonly syncserver: Pick<SyncserverApi, 'waitForPositions'>;
}

interface Written {
  readonly position: number;
}

/** After a write of the roomserver. */
export async function roomsVisible({ syncserver }: Syncing, written: Written): Promise<void> {
  await syncserver.waitForPositions({ rooms: written.position });
}

/** After a write of the userserver. */
export async function usersVisible({ syncserver }: Syncing, written: Written): Promise<void> {
  await syncserver.waitForPositions({ users: written.position });
}
