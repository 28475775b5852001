// What servers have of a room after a storm, compared with each other and with what they have said that they have.

import type { Link } from './link.ts';
import type { StoredRoom, StoredRow } from './stored-room.ts';

export interface Differences {
  readonly faults: readonly string[];
  /** Events that not all have accepted, though nothing is wrong with that. */
  readonly refusedBySome: readonly string[];
  /** Events that all have accepted. */
  readonly accepted: ReadonlySet<string>;
}

/**
 * What one server has accepted, the others have accepted or soft-failed, for which the order in which things came is
 * reason enough. What none has accepted need not be known to all.
 */
export function differences(
  rooms: readonly StoredRoom[],
  before: ReadonlySet<string>,
): Differences {
  const byId = rooms.map(({ events }) => new Map(events.map((row) => [row.event_id, row])));
  const ids = new Set(byId.flatMap((events) => [...events.keys()])).difference(before);
  const faults: string[] = [];
  const refusedBySome: string[] = [];
  const accepted = new Set<string>();
  for (const id of ids) {
    const found = byId.map((events) => events.get(id));
    const standings = new Set(found.map((row) => row?.standing ?? 'missing'));
    const isAccepted = standings.delete('accepted');
    standings.delete('softFailed');
    if (standings.size > 0 && isAccepted) faults.push(`${id}: ${found.map(describe).join(', ')}`);
    else if (found.every((row) => row?.standing === 'accepted')) accepted.add(id);
    else refusedBySome.push(`${id}: ${found.map(describe).join(', ')}`);
  }
  return { faults, refusedBySome, accepted };
}

function describe(row: StoredRow | undefined): string {
  if (row === undefined) return 'missing';
  return `${row.type} of ${row.sender} ${row.standing}${row.reason === null ? '' : ` (${row.reason})`}`;
}

/** Event ids for which a server has said that it has them. */
export interface Found {
  readonly byClients: Set<string>;
  readonly byServers: Set<string>;
}

/** The events of the transactions that the destination has answered with 200, but for those that it refused there. */
export function acknowledgedTo({ exchanges }: Link): string[] {
  return exchanges.flatMap(({ method, path, status, answer }) => {
    const isTransaction = method === 'PUT' && path.startsWith('/_matrix/federation/v1/send/');
    if (!isTransaction || status !== 200 || answer === undefined) return [];
    const results = Object.entries<{ error?: string }>(JSON.parse(answer).pdus);
    return results.filter(([, { error }]) => error === undefined).map(([id]) => id);
  });
}

/** What it does not have, though it has said so: of its own users it accepts what it acknowledges. */
export function lost(room: StoredRoom | undefined, { byClients, byServers }: Found): string[] {
  const standings = new Map(room?.events.map((row) => [row.event_id, row.standing]));
  const isKept = (id: string) => standings.has(id) && standings.get(id) !== 'outlier';
  return [
    ...[...byClients]
      .filter((id) => standings.get(id) !== 'accepted')
      .map((id) => `acknowledged to a client, and ${standings.get(id) ?? 'lost'}: ${id}`),
    ...[...byServers]
      .filter((id) => !isKept(id))
      .map((id) => `acknowledged to a server, and ${standings.get(id) ?? 'lost'}: ${id}`),
  ];
}
