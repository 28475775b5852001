// A working copy of a room: what one piece of work under the room's lock sees and changes. Nothing of it shows
// anywhere before COMMIT.

import type { Queryable, Transaction } from '../../database/database.ts';
import { ENTRY_VERSION, type RoomEntry, type StateSnapshotId } from '../../eventlog/entries.ts';
import type { EventId, RoomId, ServerName, UserId } from '../../protocol/identifiers.ts';
import type { RoomVersionRules } from '../../protocol/roomversions/room-version.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import type { TransactionKey } from '../api.ts';
import type { EventRecord } from '../event-record.ts';
import type { Events } from '../events.ts';
import type { PolicyAnswer } from '../policy/signature-needed.ts';
import type { RoomStates } from '../state/room-states.ts';
import { selectGuests, selectJoinedOfHost } from '../store/memberships.ts';
import {
  isReferencedMissing,
  selectAwaited,
  selectWaitingRedactions,
} from '../store/references.ts';
import { selectTransaction } from '../store/transactions.ts';
import { type DraftChanges, noChanges } from './draft-changes.ts';
import type { RoomHead } from './room-head.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** An entry of the log without its version. */
export type DraftEntry = DistributiveOmit<RoomEntry, 'v'>;

export interface DraftSources {
  readonly database: Queryable;
  readonly events: Events;
  readonly states: RoomStates;
  readonly transactions: {
    recent(key: TransactionKey): EventId | undefined;
    /** A transaction of this batch has been sent before. */
    readonly isRepeated: boolean;
  };
  /** What earlier work of the same batch has changed. */
  readonly earlier: DraftChanges;
}

const NO_ANSWERS: readonly PolicyAnswer[] = [];

export class RoomDraft {
  readonly roomId: RoomId;
  readonly rules: RoomVersionRules;
  readonly states: RoomStates;
  readonly changes: DraftChanges = noChanges();
  /** Replaced as a whole, never changed in place. */
  head: RoomHead;
  /** The room's head and members are deleted instead of written. */
  isRemoved = false;
  /** What this work has had to ask the room's policy server before. */
  policyAnswers: readonly PolicyAnswer[] = NO_ANSWERS;
  readonly #sources: DraftSources;

  constructor(head: RoomHead, sources: DraftSources) {
    this.roomId = head.roomId;
    this.rules = rulesOf(head.roomVersion);
    this.states = sources.states;
    this.head = head;
    this.#sources = sources;
  }

  // --- reading -----------------------------------------------------------------------------------

  /** Stored events and those of this batch, of whatever standing and room; unknown ids are absent. */
  async events(ids: Iterable<EventId>): Promise<Map<EventId, EventRecord>> {
    const found = new Map<EventId, EventRecord>();
    const others: EventId[] = [];
    for (const id of ids) {
      const record = this.#drafted(id);
      if (record === undefined) others.push(id);
      else found.set(id, record);
    }
    if (others.length === 0) return found;
    for (const [id, record] of await this.#sources.events.load(others)) found.set(id, record);
    return found;
  }

  async event(id: EventId): Promise<EventRecord | undefined> {
    return this.#inMemory(id) ?? (await this.#sources.events.get(id));
  }

  #inMemory(id: EventId): EventRecord | undefined {
    return this.#drafted(id) ?? this.#sources.events.peek(id);
  }

  /** The event that holds a key in a snapshot of this room. */
  async eventAt(
    snapshot: StateSnapshotId,
    type: string,
    stateKey: string,
  ): Promise<EventRecord | undefined> {
    const id = await this.states.get(snapshot, type, stateKey);
    return id && (this.#inMemory(id) ?? (await this.event(id)));
  }

  /** In the current state as this draft has it. */
  currentEvent(type: string, stateKey: string): Promise<EventRecord | undefined> {
    return this.eventAt(this.head.currentState, type, stateKey);
  }

  /**
   * The event that a device's transaction made. Mostly it made none, and to look for it costs more than to find out on
   * writing: so what is stored is looked up only where writing has shown that one of the batch was sent before.
   */
  async transaction(key: TransactionKey): Promise<EventId | undefined> {
    const { database, earlier, transactions } = this.#sources;
    const drafted = [...earlier.transactions, ...this.changes.transactions].find((sent) =>
      isSameTransaction(sent.key, key),
    );
    const known = drafted?.eventId ?? transactions.recent(key);
    if (known !== undefined || !transactions.isRepeated) return known;
    return selectTransaction(database, key);
  }

  /** Guests of this server who are joined. */
  async guests(): Promise<UserId[]> {
    const { database, earlier } = this.#sources;
    const guests = new Set(await selectGuests(database, this.roomId));
    for (const [userId, isGuest] of [...earlier.guests, ...this.changes.guests]) {
      if (isGuest) guests.add(userId);
      else guests.delete(userId);
    }
    return [...guests];
  }

  /** Whether a user of the server is joined. */
  async hasJoined(host: ServerName): Promise<boolean> {
    const { database, earlier } = this.#sources;
    const drafted = [earlier, this.changes].map(({ joinedHosts }) => joinedHosts.get(host) ?? 0);
    const stored = await selectJoinedOfHost(database, this.roomId, host);
    return drafted.reduce((sum, by) => sum + by, stored) > 0;
  }

  /** Redactions of an event that came before it. */
  async waitingRedactions(redacts: EventId): Promise<EventId[]> {
    const { database, earlier } = this.#sources;
    const stored = await selectWaitingRedactions(database, this.roomId, redacts);
    const drafted = [...earlier.waitingRedactions, ...this.changes.waitingRedactions]
      .filter((waiting) => waiting.redacts === redacts)
      .map(({ redactionId }) => redactionId);
    return [...new Set([...stored, ...drafted])];
  }

  /** Of the events, those that redactions have come before. */
  async awaitedByRedactions(ids: readonly EventId[]): Promise<EventId[]> {
    const { database, earlier } = this.#sources;
    const stored = await selectAwaited(database, this.roomId, ids);
    const drafted = [...earlier.waitingRedactions, ...this.changes.waitingRedactions];
    const awaited = new Set([...stored, ...drafted.map(({ redacts }) => redacts)]);
    return [...awaited.intersection(new Set(ids))];
  }

  /** Whether others refer to an event that was not here. */
  async isMissing(eventId: EventId): Promise<boolean> {
    const { database, earlier } = this.#sources;
    const drafted = [...earlier.missing, ...this.changes.missing];
    if (drafted.some((missing) => missing.eventId === eventId)) return true;
    return isReferencedMissing(database, this.roomId, eventId);
  }

  #drafted(id: EventId): EventRecord | undefined {
    const { earlier } = this.#sources;
    return (
      this.changes.updated.get(id) ??
      this.changes.events.get(id) ??
      earlier.updated.get(id) ??
      earlier.events.get(id)
    );
  }

  // --- changing ----------------------------------------------------------------------------------

  /** Writes a new event, or an outlier that has become more. Its place in the DAG is `acceptEvent`'s business. */
  store(record: EventRecord): void {
    this.changes.events.set(record.pdu.eventId, record);
  }

  /** For an event that is stored already, here or in the database: its redacted form, or another reason. */
  update(record: EventRecord): void {
    const { eventId } = record.pdu;
    if (this.changes.events.has(eventId)) this.changes.events.set(eventId, record);
    else this.changes.updated.set(eventId, record);
  }

  log(entry: DraftEntry): void {
    this.changes.entries.push({ v: ENTRY_VERSION, ...entry } as RoomEntry);
  }

  rememberTransaction(key: TransactionKey, eventId: EventId): void {
    this.changes.transactions.push({ key, eventId });
  }

  /** Statements of the caller's own for the transaction. They may run twice, when the first attempt was rolled back. */
  alsoWrite(write: (tx: Transaction) => Promise<unknown>): void {
    this.changes.writes.push(write);
  }

  /** Must not throw. */
  afterCommit(effect: () => void): void {
    this.changes.effects.push(effect);
  }

  /** Deletes the room's head, members and references: it is unknown from then on. What has been logged is written. */
  remove(): void {
    this.isRemoved = true;
  }
}

function isSameTransaction(a: TransactionKey, b: TransactionKey): boolean {
  return a.id === b.id && a.scope === b.scope && a.deviceId === b.deviceId && a.userId === b.userId;
}
