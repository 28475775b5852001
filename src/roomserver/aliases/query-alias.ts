// Where an alias leads.

import { MatrixError } from '../../protocol/error.ts';
import {
  type RoomAlias,
  type RoomId,
  type ServerName,
  serverNameOf,
} from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { selectAlias } from '../store/aliases.ts';
import { selectJoinedHosts } from '../store/memberships.ts';

/** Enough for somebody who wants to join. */
const MAX_SERVERS = 50;

type Context = Pick<RoomserverContext, 'database' | 'serverName' | 'remoteRooms'>;

/** Throws M_NOT_FOUND. */
export async function queryAlias(
  { database, serverName, remoteRooms }: Context,
  alias: RoomAlias,
): Promise<{ roomId: RoomId; servers: ServerName[] }> {
  if (serverNameOf(alias) !== serverName) return remoteRooms.resolveAlias(alias);
  const stored = await selectAlias(database, alias);
  if (stored === undefined) throw new MatrixError('M_NOT_FOUND', 'There is no such alias');
  const hosts = await selectJoinedHosts(database, stored.room_id, MAX_SERVERS);
  const others = hosts.filter((host) => host !== serverName);
  return { roomId: stored.room_id, servers: [serverName, ...others] };
}
