// What is known at the start of a batch of entries of `roomserver.output`, and whom it gives something to send.

import type { Transaction } from '../../database/database.ts';
import type { RoomEntry } from '../../eventlog/entries.ts';
import type { LogEntry } from '../../eventlog/eventlog.ts';
import type { RoomId, ServerName } from '../../protocol/identifiers.ts';
import type { FederationsenderContext } from '../context.ts';
import type { Arrival } from '../edus/passing-edus.ts';
import { insertRoom, selectSharedRooms } from '../store/rooms.ts';
import {
  type MembershipChanges,
  membershipChanges,
  NO_CHANGES,
  rescindedServer,
} from './membership-changes.ts';

/** Where an entry stands. */
export interface Place {
  readonly roomId: RoomId;
  readonly position: number;
}

type Entry = LogEntry<'roomserver.output'>;

interface Known {
  readonly shared: Map<RoomId, { peeked: boolean }>;
  readonly destinations: ReadonlyMap<ServerName, number>;
  readonly changes: ReadonlyMap<number, MembershipChanges>;
}

export class RoomBatch {
  readonly context: FederationsenderContext;
  readonly tx: Transaction;
  /** ms since the epoch. */
  readonly now: number;
  /** Rooms that other servers are, or have been, told of; all others cost nothing. */
  readonly shared: Map<RoomId, { peeked: boolean }>;
  /** Destinations that have got something to send. */
  readonly woken = new Set<number>();
  readonly arrivals: Arrival[] = [];
  readonly #destinations: ReadonlyMap<ServerName, number>;
  readonly #changes: ReadonlyMap<number, MembershipChanges>;

  private constructor(context: FederationsenderContext, tx: Transaction, known: Known) {
    this.context = context;
    this.tx = tx;
    this.now = context.clock.now();
    this.shared = known.shared;
    this.#destinations = known.destinations;
    this.#changes = known.changes;
  }

  static async begin(
    context: FederationsenderContext,
    tx: Transaction,
    entries: readonly Entry[],
  ): Promise<RoomBatch> {
    const changes = changesOf(entries, context.serverName);
    const servers = serversOf(entries, changes);
    return new RoomBatch(context, tx, {
      changes,
      shared: await selectSharedRooms(tx, roomsOf(entries)),
      destinations:
        servers.size === 0 ? new Map() : await context.destinationIds.resolve(tx, servers),
    });
  }

  changesMemberships(position: number): boolean {
    return this.#changes.has(position);
  }

  changesAt(position: number): MembershipChanges {
    return this.#changes.get(position) ?? NO_CHANGES;
  }

  /** Of a server that an entry of this batch names. */
  destinationOf(server: ServerName): number {
    const id = this.#destinations.get(server);
    if (id === undefined) throw new Error('a server of the batch has no number');
    return id;
  }

  countsOf(hosts: ReadonlyMap<ServerName, number>): Map<number, number> {
    return new Map([...hosts].map(([server, count]) => [this.destinationOf(server), count]));
  }

  async share(roomId: RoomId, peeked = false): Promise<void> {
    const known = this.shared.get(roomId);
    if (known === undefined) await insertRoom(this.tx, roomId);
    this.shared.set(roomId, { peeked: peeked || known?.peeked === true });
  }

  /** Nobody looks into the room any more. */
  unpeeked(roomId: RoomId): void {
    if (this.shared.has(roomId)) this.shared.set(roomId, { peeked: false });
  }

  /** Servers, and users of this one, have come into a room of both. */
  arrived({ roomId, position }: Place, hosts: readonly number[]): void {
    const users = this.changesAt(position).joinedUsers;
    if (!this.shared.has(roomId) || hosts.length + users.length === 0) return;
    this.arrivals.push({ roomId, hosts, users });
  }

  wake(destinationIds: readonly number[]): void {
    for (const id of destinationIds) this.woken.add(id);
  }
}

function changesOf(
  entries: readonly Entry[],
  serverName: ServerName,
): Map<number, MembershipChanges> {
  const changes = new Map<number, MembershipChanges>();
  for (const { position, entry } of entries) {
    if (entry.kind !== 'NewRoomEvent' && entry.kind !== 'StateReplaced') continue;
    if (entry.stateChanges.length === 0) continue;
    changes.set(position, membershipChanges(entry.stateChanges, serverName));
  }
  return changes;
}

function serversOf(
  entries: readonly Entry[],
  changes: ReadonlyMap<number, MembershipChanges>,
): Set<ServerName> {
  const servers = new Set<ServerName>();
  for (const { joinedHosts, leftHosts } of changes.values()) {
    for (const server of joinedHosts.keys()) servers.add(server);
    for (const server of leftHosts.keys()) servers.add(server);
  }
  for (const { entry } of entries) {
    const server = namedServer(entry);
    if (server !== undefined) servers.add(server);
  }
  return servers;
}

function namedServer(entry: RoomEntry): ServerName | undefined {
  if (entry.kind === 'NewInboundPeek' || entry.kind === 'RetireInboundPeek') return entry.server;
  if (entry.kind !== 'NewRoomEvent') return undefined;
  return rescindedServer(entry.event.eventId, entry.stateChanges);
}

/** Those of which something is to be looked up. */
function roomsOf(entries: readonly Entry[]): RoomId[] {
  return [...new Set(entries.map(({ key }) => key as RoomId))];
}
