// Account data, global and of rooms. When it changed is known here, its content is the userserver's.

import type { RoomId } from '../../protocol/identifiers.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { EventFilter } from '../filter/event-filter.ts';
import type { AccountDataChange } from '../store/account-data.ts';
import type { SyncRequest } from './sync-request.ts';

export async function globalAccountData(sync: SyncRequest): Promise<JsonObject[]> {
  const { context, filter, since, now, user } = sync;
  const { accountData } = filter;
  if (accountData.passesNone) return [];
  if (since === undefined || sync.fullState) {
    const all = await context.userserver.queryAllAccountData({ userId: user.userId });
    return all
      .filter(({ roomId, type }) => roomId === undefined && accountData.passes({ type }))
      .map(({ type, content }) => ({ type, content }));
  }
  const changes = user.accountDataOf('', since.users, now.users);
  return changes.length === 0 ? [] : await contents(sync, changes, accountData);
}

/** `isNew`: the device knows nothing of the room. */
export async function roomAccountData(
  sync: SyncRequest,
  roomId: RoomId,
  isNew: boolean,
): Promise<JsonObject[]> {
  const { filter, since, now, user } = sync;
  const { roomAccountData: wanted } = filter;
  if (wanted.passesNone || !wanted.passesRoom(roomId)) return [];
  const after = isNew || since === undefined ? 0 : since.users;
  const changes = user.accountDataOf(roomId, after, now.users);
  return changes.length === 0 ? [] : await contents(sync, changes, wanted);
}

async function contents(
  { context, user }: SyncRequest,
  changes: readonly AccountDataChange[],
  filter: EventFilter,
): Promise<JsonObject[]> {
  const wanted = changes.filter(({ type }) => filter.passes({ type }));
  const events = await Promise.all(
    wanted.map(async ({ roomId, type }) => {
      const content = await context.userserver.queryAccountData({
        userId: user.userId,
        type,
        ...(roomId !== '' && { roomId }),
      });
      return content === undefined ? [] : [{ type, content }];
    }),
  );
  return events.flat();
}
