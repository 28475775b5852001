// Users parted by the server they belong to.

import { type ServerName, serverNameOf, type UserId } from '../../protocol/identifiers.ts';

export interface ByServer<T> {
  readonly local: Readonly<Record<UserId, T>>;
  readonly remote: ReadonlyMap<ServerName, Readonly<Record<UserId, T>>>;
}

export function byServer<T>(
  ofUsers: Readonly<Record<UserId, T>>,
  serverName: ServerName,
): ByServer<T> {
  const local: Record<UserId, T> = {};
  const remote = new Map<ServerName, Record<UserId, T>>();
  for (const [id, value] of Object.entries(ofUsers)) {
    const userId = id as UserId;
    const server = serverNameOf(userId);
    if (server === serverName) local[userId] = value as T;
    else remote.set(server, { ...remote.get(server), [userId]: value as T });
  }
  return { local, remote };
}
