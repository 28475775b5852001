// Which events another server may see: those that one of its users may (Client-Server API, "Room History Visibility").
// Whoever may not see an event is given it redacted, so that the DAG stays connected.

import type { StateSnapshotId } from '../../eventlog/entries.ts';
import type { PduJson } from '../../protocol/events/pdu.ts';
import { type EventId, serverNameOf, type UserId } from '../../protocol/identifiers.ts';
import { redactPdu } from '../../protocol/redaction.ts';
import { rulesOf } from '../../protocol/roomversions/table.ts';
import { canSeeEvent } from '../../protocol/visibility.ts';
import type { EventRecord } from '../event-record.ts';
import type { Access, ServingContext } from './access.ts';

/** The member events of one server's users in a snapshot. */
type Members = ReadonlyMap<UserId, EventId>;

export class Sight {
  readonly #context: ServingContext;
  readonly #access: Access;
  /** Of the snapshot that was looked at last: the next event's is next to it. */
  #last: { readonly snapshot: StateSnapshotId; readonly members: Members } | undefined;

  constructor(context: ServingContext, access: Access) {
    this.#context = context;
    this.#access = access;
  }

  /** As it may be shown. */
  async shown(record: EventRecord): Promise<PduJson> {
    const { json, roomVersion } = record.pdu;
    return (await this.discloses(record)) ? json : redactPdu(json, rulesOf(roomVersion));
  }

  /** What it sees, and from outside also what belongs to the state that is current now, which every peek tells whole. */
  async discloses(record: EventRecord): Promise<boolean> {
    return (await this.sees(record)) || (!this.#access.isMember && this.#isCurrent(record));
  }

  async sees(record: EventRecord): Promise<boolean> {
    const { visibility, stateBefore } = record;
    if (visibility === undefined || stateBefore === undefined) return this.#seesOutlier(record);
    if (visibility === 'world_readable') return true;
    if (!this.#access.isMember) return false;
    // Who is in the room now has joined it at some time, before the event or after.
    if (visibility === 'shared') return true;
    return this.#isSeenByMember(record, await this.#membersIn(stateBefore));
  }

  /** What has no place in history is known because states have it, and those are given whole. */
  async #seesOutlier(record: EventRecord): Promise<boolean> {
    if (record.pdu.stateKey === undefined) return false;
    return this.#access.isMember || this.#isCurrent(record);
  }

  async #isCurrent({ pdu }: EventRecord): Promise<boolean> {
    const { head } = this.#access;
    if (pdu.stateKey === undefined) return false;
    const states = this.#context.states.ofRoom(head.roomId);
    return (await states.get(head.currentState, pdu.type, pdu.stateKey)) === pdu.eventId;
  }

  async #isSeenByMember({ pdu, visibility }: EventRecord, members: Members): Promise<boolean> {
    const sight = { visibility: visibility ?? 'joined', joinedLater: true };
    const records = await this.#context.events.load([...members.values()]);
    for (const memberEvent of members.values()) {
      const membership = records.get(memberEvent)?.pdu.membership;
      if (canSeeEvent({ ...sight, membership })) return true;
    }
    const subject = pdu.stateKey as UserId | undefined;
    if (pdu.membership === undefined || subject === undefined || !this.#isTheirs(subject)) {
      return false;
    }
    const before = members.get(subject);
    const membership = before && records.get(before)?.pdu.membership;
    return canSeeEvent({ ...sight, membership, membershipAfter: pdu.membership });
  }

  async #membersIn(snapshot: StateSnapshotId): Promise<Members> {
    const members = await this.#readMembers(snapshot);
    this.#last = { snapshot, members };
    return members;
  }

  async #readMembers(snapshot: StateSnapshotId): Promise<Members> {
    const states = this.#context.states.ofRoom(this.#access.head.roomId);
    if (this.#last === undefined) {
      const entries = await states.entries(snapshot, 'only');
      return new Map(
        entries
          .filter(({ stateKey }) => this.#isTheirs(stateKey))
          .map(({ stateKey, eventId }) => [stateKey as UserId, eventId]),
      );
    }
    const members = new Map(this.#last.members);
    for (const { type, stateKey, to } of await states.diff(this.#last.snapshot, snapshot)) {
      if (type !== 'm.room.member' || !this.#isTheirs(stateKey)) continue;
      if (to === undefined) members.delete(stateKey as UserId);
      else members.set(stateKey as UserId, to);
    }
    return members;
  }

  #isTheirs(stateKey: string): boolean {
    return serverNameOf(stateKey as UserId) === this.#access.origin;
  }
}
