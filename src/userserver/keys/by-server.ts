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
  const entries = Object.entries(ofUsers) as [UserId, T][];
  const servers = Map.groupBy(entries, ([userId]) => serverNameOf(userId));
  const parted = new Map([...servers].map(([server, ofServer]) => [server, recordOf(ofServer)]));
  const local = parted.get(serverName) ?? {};
  parted.delete(serverName);
  return { local, remote: parted };
}

function recordOf<T>(entries: readonly (readonly [UserId, T])[]): Readonly<Record<UserId, T>> {
  return Object.fromEntries(entries);
}
