// Looking into a room without joining it: how clients ask for it, and the short peeks behind the legacy
// pair of initialSync and events.

import { serverName } from '../http/identifier-parameters.ts';
import { repeated } from '../http/parameters.ts';
import { isRoomId, parseRoomAlias, type RoomId, type ServerName } from '../protocol/identifiers.ts';
import { isPeekable } from '../protocol/visibility.ts';
import type { Viewer } from '../syncserver/api.ts';
import type { ClientapiContext } from './context.ts';
import { LONGEST_POLL_MS } from './timeout-parameter.ts';
import { roomsVisible } from './visible.ts';

type Peeking = Pick<ClientapiContext, 'roomserver' | 'syncserver' | 'clock'>;

async function resolveRoom(
  { roomserver }: Pick<Peeking, 'roomserver'>,
  roomIdOrAlias: string,
): Promise<RoomId> {
  if (isRoomId(roomIdOrAlias)) return roomIdOrAlias;
  return (await roomserver.queryAlias({ alias: parseRoomAlias(roomIdOrAlias) })).roomId;
}

export interface PeekToStart {
  readonly viewer: Viewer;
  readonly roomIdOrAlias: string;
  readonly serverNames: readonly ServerName[];
  readonly via: 'sync' | 'events';
}

/** Starts or renews a peek; it is there when this resolves. Errors: M_LIMIT_EXCEEDED, those of performPeek. */
export async function startPeek(
  context: Peeking,
  { viewer, roomIdOrAlias, serverNames, via }: PeekToStart,
): Promise<{ roomId: RoomId; expiryTs: number }> {
  const { roomserver, syncserver } = context;
  const { userId, deviceId } = viewer;
  const roomId = await resolveRoom(context, roomIdOrAlias);
  const place = { userId, deviceId, roomId, via };
  await syncserver.checkPeekLimits(place);
  const { active: isRenewal } = await syncserver.queryPeek(place);
  try {
    const peek = await roomserver.performPeek({
      roomIdOrAlias,
      userId,
      deviceId,
      serverNames,
      via,
      isRenewal,
    });
    await roomsVisible(context, peek);
    return peek;
  } catch (error) {
    await syncserver.cancelPeek(place);
    throw error;
  }
}

export interface BriefLook {
  readonly viewer: Viewer;
  readonly roomId: RoomId;
  /** That may have the room. */
  readonly serverNames: readonly ServerName[];
}

/** Query parameters by which clients name such servers. */
export const SERVER_HINTS = { server_name: repeated(serverName()), via: repeated(serverName()) };

export function hintsOf(query: {
  readonly server_name: readonly ServerName[];
  readonly via: readonly ServerName[];
}): ServerName[] {
  return [...new Set([...query.server_name, ...query.via])];
}

/**
 * Lets a viewer who has not joined the room look into it until the poll after this one at least. Who has left it goes
 * on seeing what she saw then, unless the room is open to everybody. Errors: those of performPeek.
 */
export async function lookBriefly(
  context: Peeking,
  { viewer, roomId, serverNames }: BriefLook,
): Promise<void> {
  const { roomserver, syncserver } = context;
  const access = await syncserver.queryAccess({ viewer, roomId });
  if (access === 'joined') return;
  if (access === 'left') {
    const room = await roomserver.queryRoom({ roomId });
    if (room === undefined || !isPeekable(room)) return;
  }
  if (await isFresh(context, viewer, roomId)) return;
  await startPeek(context, { viewer, roomIdOrAlias: roomId, serverNames, via: 'events' });
}

/** A short peek that lasts beyond the longest poll need not be renewed by this one. */
async function isFresh(
  { syncserver, clock }: Peeking,
  { userId, deviceId }: Viewer,
  roomId: RoomId,
): Promise<boolean> {
  const { expiryTs = 0 } = await syncserver.queryPeek({ userId, deviceId, roomId, via: 'events' });
  return expiryTs > clock.now() + LONGEST_POLL_MS;
}
