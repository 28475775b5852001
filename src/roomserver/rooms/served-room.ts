// Which rooms other servers may have to do with, and whom the rooms keep out.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { isAllowedByAcl } from '../../protocol/server-acl.ts';
import type { RoomserverContext } from '../context.ts';
import type { RoomHead } from './room-head.ts';

type Context = Pick<RoomserverContext, 'rooms' | 'states' | 'events'>;

/** Throws M_NOT_FOUND where no local user is, M_FORBIDDEN where the room keeps the server out. */
export async function servedRoom(
  context: Context,
  { origin, roomId }: { readonly origin: ServerName; readonly roomId: RoomId },
): Promise<RoomHead> {
  const head = await context.rooms.head(roomId);
  if (head === undefined || head.localMembers === 0) {
    throw new MatrixError('M_NOT_FOUND', 'This server does not take part in that room');
  }
  await checkAdmitted(context, head, origin);
  return head;
}

/** Whether events of the room are taken from the server: from anybody where we are in it. */
export function isReceiving(
  { outboundPeeks }: Pick<RoomserverContext, 'outboundPeeks'>,
  head: RoomHead | undefined,
  origin: ServerName,
): head is RoomHead {
  if (head === undefined) return false;
  return head.localMembers > 0 || outboundPeeks.isWatchedThrough(head.roomId, origin);
}

/** By the room's server ACL, and by m.federate. Throws M_FORBIDDEN. */
export async function checkAdmitted(
  context: Context,
  head: RoomHead,
  origin: ServerName,
): Promise<void> {
  const reason = await refusalOf(context, head, origin);
  if (reason !== undefined) throw new MatrixError('M_FORBIDDEN', reason);
}

/** As checkAdmitted. */
export async function isAdmitted(
  context: Context,
  head: RoomHead,
  origin: ServerName,
): Promise<boolean> {
  return (await refusalOf(context, head, origin)) === undefined;
}

async function refusalOf(
  context: Context,
  head: RoomHead,
  origin: ServerName,
): Promise<string | undefined> {
  const acl = await settingOf(context, head, 'm.room.server_acl');
  if (!isAllowedByAcl(acl, origin)) return 'The room does not let your server take part';
  const create = await settingOf(context, head, 'm.room.create');
  return create?.['m.federate'] === false ? 'The room is not federated' : undefined;
}

async function settingOf({ states, events }: Context, head: RoomHead, type: string) {
  const id = await states.ofRoom(head.roomId).get(head.currentState, type, '');
  return id === undefined ? undefined : (await events.get(id))?.pdu.content;
}
