// performPublish and queryPublished: whether a room is in the published room directory.

import { MatrixError } from '../../protocol/error.ts';
import { checkMayAddress } from '../aliases/addressing-power.ts';
import type { RoomserverApi } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import { isReadable } from '../membership/is-here.ts';
import { deletePublished, insertPublished, selectIsPublished } from '../store/published.ts';

export async function publish(
  { rooms }: RoomserverContext,
  { roomId, userId, published }: Parameters<RoomserverApi['performPublish']>[0],
): Promise<void> {
  await rooms.change(roomId, async (room) => {
    await checkMayAddress(room, userId);
    const write = published ? insertPublished : deletePublished;
    room.alsoWrite((tx) => write(tx, roomId));
  });
}

export async function queryPublished(
  context: RoomserverContext,
  { roomId }: Parameters<RoomserverApi['queryPublished']>[0],
): Promise<{ published: boolean }> {
  if (!isReadable(context, await context.rooms.head(roomId))) {
    throw new MatrixError('M_NOT_FOUND', 'No such room');
  }
  return { published: await selectIsPublished(context.database, roomId) };
}
