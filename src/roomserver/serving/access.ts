// Whether another server may read a room at all: with a member in it, or as anybody may while it is world-readable.

import { MatrixError } from '../../protocol/error.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import { isAllowedByAcl } from '../../protocol/server-acl.ts';
import { isWorldReadable } from '../../protocol/visibility.ts';
import type { RoomserverContext } from '../context.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomHead } from '../rooms/room-head.ts';
import { selectIsJoinedHost } from '../store/memberships.ts';

export type ServingContext = Pick<
  RoomserverContext,
  'database' | 'rooms' | 'events' | 'states' | 'serverName'
>;

export interface Request {
  readonly origin: ServerName;
  readonly roomId: RoomId;
}

/** A room that the origin may read, and in what quality. */
export interface Access {
  readonly origin: ServerName;
  readonly head: RoomHead;
  /** One of its users has joined. Otherwise it looks in from outside. */
  readonly isMember: boolean;
}

/** Throws M_NOT_FOUND where no local user is in the room, M_FORBIDDEN. */
export async function accessOf(context: ServingContext, request: Request): Promise<Access> {
  const { origin, roomId } = request;
  const head = await residentHead(context, roomId);
  await checkAcl(context, head, origin);
  const isMember = await selectIsJoinedHost(context.database, roomId, origin);
  if (!isMember) {
    if (!isWorldReadable(head.visibility)) throw forbidden('The server is not in the room');
    await checkFederates(context, head);
  }
  return { origin, head, isMember };
}

/** Throws M_NOT_FOUND where no local user is in the room. */
export async function residentHead(context: ServingContext, roomId: RoomId): Promise<RoomHead> {
  const head = await context.rooms.head(roomId);
  if (head === undefined || head.localMembers === 0) {
    throw new MatrixError('M_NOT_FOUND', 'No such room');
  }
  return head;
}

/** Throws M_FORBIDDEN where the ACL of the room denies the server; nothing for rooms that are not known. */
export async function checkServerAcl(
  context: ServingContext,
  { origin, roomId }: Request,
): Promise<void> {
  const head = await context.rooms.head(roomId);
  if (head !== undefined) await checkAcl(context, head, origin);
}

async function checkAcl(context: ServingContext, head: RoomHead, origin: ServerName) {
  const acl = await currentEvent(context, head, 'm.room.server_acl');
  if (!isAllowedByAcl(acl?.pdu.content, origin)) {
    throw forbidden('The server is denied by the access control list of the room');
  }
}

async function checkFederates(context: ServingContext, head: RoomHead): Promise<void> {
  const create = await currentEvent(context, head, 'm.room.create');
  if (create?.pdu.content['m.federate'] === false) throw forbidden('The room does not federate');
}

async function currentEvent(
  { states, events }: ServingContext,
  { roomId, currentState }: RoomHead,
  type: string,
): Promise<EventRecord | undefined> {
  const id = await states.ofRoom(roomId).get(currentState, type, '');
  return id && (await events.get(id));
}

function forbidden(message: string): MatrixError {
  return new MatrixError('M_FORBIDDEN', message);
}
