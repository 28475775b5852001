// What an entry changes of who is joined: members of other servers by number, users of this one by name.

import type { StateChange } from '../../eventlog/entries.ts';
import {
  isUserId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../../protocol/identifiers.ts';

export interface MembershipChanges {
  /** Number of members who have joined. */
  readonly joinedHosts: ReadonlyMap<ServerName, number>;
  readonly leftHosts: ReadonlyMap<ServerName, number>;
  readonly joinedUsers: readonly UserId[];
  readonly leftUsers: readonly UserId[];
}

export const NO_CHANGES: MembershipChanges = {
  joinedHosts: new Map(),
  leftHosts: new Map(),
  joinedUsers: [],
  leftUsers: [],
};

export function membershipChanges(
  stateChanges: readonly StateChange[],
  ownServer: ServerName,
): MembershipChanges {
  const joinedHosts = new Map<ServerName, number>();
  const leftHosts = new Map<ServerName, number>();
  const joinedUsers: UserId[] = [];
  const leftUsers: UserId[] = [];
  for (const { type, stateKey, membership, previousMembership } of stateChanges) {
    if (type !== 'm.room.member' || !isUserId(stateKey)) continue;
    const isJoined = membership === 'join';
    if (isJoined === (previousMembership === 'join')) continue;
    const server = serverNameOf(stateKey);
    if (server === ownServer) (isJoined ? joinedUsers : leftUsers).push(stateKey);
    else count(isJoined ? joinedHosts : leftHosts, server);
  }
  return { joinedHosts, leftHosts, joinedUsers, leftUsers };
}

function count(hosts: Map<ServerName, number>, server: ServerName): void {
  hosts.set(server, (hosts.get(server) ?? 0) + 1);
}

/** They have not joined, but know of the room: when that is taken back, their server has to be told. */
const PENDING = new Set(['invite', 'knock']);

/** The server of a user of another server whose invite or knock this very event ends without joining. */
export function rescindedServer(
  eventId: string,
  stateChanges: readonly StateChange[],
): ServerName | undefined {
  const own = stateChanges.find((change) => change.eventId === eventId);
  if (own?.type !== 'm.room.member' || !isUserId(own.stateKey)) return undefined;
  const isTakenBack = own.membership === 'leave' || own.membership === 'ban';
  if (!isTakenBack || !PENDING.has(own.previousMembership ?? '')) return undefined;
  return serverNameOf(own.stateKey);
}
