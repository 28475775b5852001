// What a draft has to write: collected while work is done under the room's lock, written set-wise in one transaction.

import type { Transaction } from '../../database/database.ts';
import type { RoomEntry } from '../../eventlog/entries.ts';
import type { EventId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { TransactionKey } from '../api.ts';
import type { EventRecord } from '../event-record.ts';

export interface LocalMembership {
  readonly userId: UserId;
  readonly membership: string;
  readonly eventId: EventId;
}

export interface DraftChanges {
  /** New events, and outliers that became more than that. */
  readonly events: Map<EventId, EventRecord>;
  /** Stored events that became redacted, or that are withheld no longer. */
  readonly updated: Map<EventId, EventRecord>;
  readonly waitingRedactions: { readonly redacts: EventId; readonly redactionId: EventId }[];
  /** Redactions that wait no longer, by what they redact. */
  readonly settledRedactions: Set<EventId>;
  /** Events that are referred to but not here. */
  readonly missing: { readonly eventId: EventId; readonly referencedBy: EventId }[];
  /** Missing no longer. */
  readonly arrived: Set<EventId>;
  readonly transactions: { readonly key: TransactionKey; readonly eventId: EventId }[];
  /** Of local users, in the current state. `null`: the user is no member of any kind any more. */
  readonly memberships: Map<UserId, LocalMembership | null>;
  /** Local users who join as guests, or who do so no longer. */
  readonly guests: Map<UserId, boolean>;
  /** By how much the number of joined users of a server changes. */
  readonly joinedHosts: Map<ServerName, number>;
  readonly entries: RoomEntry[];
  /** Run in the transaction, after all else but the log. May run again when the first transaction was rolled back. */
  readonly writes: ((tx: Transaction) => Promise<unknown>)[];
  /** Run after COMMIT. */
  readonly effects: (() => void)[];
}

export function noChanges(): DraftChanges {
  return {
    events: new Map(),
    updated: new Map(),
    waitingRedactions: [],
    settledRedactions: new Set(),
    missing: [],
    arrived: new Set(),
    transactions: [],
    memberships: new Map(),
    guests: new Map(),
    joinedHosts: new Map(),
    entries: [],
    writes: [],
    effects: [],
  };
}

/** Adds what later work did to what was done before it. */
export function mergeChanges(into: DraftChanges, later: DraftChanges): void {
  for (const [id, record] of later.events) into.events.set(id, record);
  for (const [id, record] of later.updated) {
    // An event of the same transaction is written once, in its last form.
    if (into.events.has(id)) into.events.set(id, record);
    else into.updated.set(id, record);
  }
  into.waitingRedactions.push(...later.waitingRedactions);
  for (const id of later.settledRedactions) into.settledRedactions.add(id);
  into.missing.push(...later.missing);
  for (const id of later.arrived) into.arrived.add(id);
  into.transactions.push(...later.transactions);
  for (const [userId, membership] of later.memberships) into.memberships.set(userId, membership);
  for (const [userId, isGuest] of later.guests) into.guests.set(userId, isGuest);
  for (const [host, by] of later.joinedHosts) {
    into.joinedHosts.set(host, (into.joinedHosts.get(host) ?? 0) + by);
  }
  into.entries.push(...later.entries);
  into.writes.push(...later.writes);
  into.effects.push(...later.effects);
}
