// performDeleteAlias: an alias goes, and with it its mention in m.room.canonical_alias.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomAlias, UserId } from '../../protocol/identifiers.ts';
import type { RoomserverApi, Written } from '../api.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomDraft } from '../rooms/room-draft.ts';
import { appendLocalEvent } from '../send/append-local-event.ts';
import { deleteAlias as deleteAliasRow, selectAlias } from '../store/aliases.ts';
import { mayAddress } from './addressing-power.ts';
import { withoutAlias } from './canonical-alias.ts';

type DeleteRequest = Parameters<RoomserverApi['performDeleteAlias']>[0];

export async function deleteAlias(
  context: RoomserverContext,
  { alias, userId }: DeleteRequest,
): Promise<Partial<Written>> {
  const stored = await selectAlias(context.database, alias);
  if (stored === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such alias');
  const roomId = stored.room_id;
  const { value: isChanged, position } = await context.rooms.change(roomId, async (room) => {
    const hasPower = await mayAddress(room, userId);
    // Read again, since only the lock keeps the alias where it is.
    const current = await selectAlias(context.database, alias);
    if (current?.room_id !== roomId) throw new MatrixError('M_NOT_FOUND', 'The alias is gone');
    if (!hasPower && current.creator !== userId) {
      throw new MatrixError('M_FORBIDDEN', 'The alias is not yours to delete');
    }
    room.alsoWrite((tx) => deleteAliasRow(tx, alias, roomId));
    return hasPower && dropFromCanonical(context, room, { alias, userId });
  });
  return isChanged ? { position } : {};
}

/** Returns whether there was anything to drop. */
async function dropFromCanonical(
  context: RoomserverContext,
  room: RoomDraft,
  { alias, userId }: { readonly alias: RoomAlias; readonly userId: UserId },
): Promise<boolean> {
  const current = await room.currentEvent('m.room.canonical_alias', '');
  const content = current && withoutAlias(current.pdu.content, alias);
  if (content === undefined) return false;
  await appendLocalEvent(context, room, {
    type: 'm.room.canonical_alias',
    stateKey: '',
    sender: userId,
    content,
  });
  return true;
}
