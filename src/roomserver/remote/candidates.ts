// Which servers may help into a room, in the order in which they are asked.

import {
  isServerName,
  type RoomId,
  type ServerName,
  serverNameOfRoomId,
  type UserId,
} from '../../protocol/identifiers.ts';
import type { RoomserverContext } from '../context.ts';
import { selectInvite } from '../store/invites.ts';
import { selectJoinedHosts } from '../store/memberships.ts';

/** Of those that the client and the alias name; each may take its time to fail. */
const MAX_NAMED = 10;
/** Of those that were in the room when we knew it last. */
const MAX_KNOWN = 5;

/** Those of the request (and of the alias), then what we learned of the room, then the domain of its id. */
export async function candidateServers(
  { database, serverName }: Pick<RoomserverContext, 'database' | 'serverName'>,
  {
    roomId,
    userId,
    serverNames,
  }: {
    readonly roomId: RoomId;
    readonly userId: UserId;
    readonly serverNames: readonly ServerName[];
  },
): Promise<ServerName[]> {
  const invite = await selectInvite(database, roomId, userId);
  const known = await selectJoinedHosts(database, roomId, MAX_KNOWN);
  const domain = serverNameOfRoomId(roomId);
  const named = new Set(serverNames.filter(isServerName));
  named.delete(serverName);
  const servers = new Set([...named].slice(0, MAX_NAMED));
  if (invite !== undefined) servers.add(invite.server);
  for (const host of known) servers.add(host);
  if (domain !== undefined) servers.add(domain);
  servers.delete(serverName);
  return [...servers];
}
