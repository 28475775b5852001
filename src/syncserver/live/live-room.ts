// A room that somebody who syncs has joined or looks into: its newest rows, and whom to wake.

import type { RoomId, UserId } from '../../protocol/identifiers.ts';
import type { StoredReceipt } from '../store/receipts.ts';
import type { TimelineRow } from '../store/timeline.ts';
import type { LiveUser } from './live-user.ts';

/** What a device that waits has not seen is rarely more; the rest is in the database. */
const KEPT_ROWS = 32;

/** Who has another membership, or another member event. */
export interface MemberChange {
  readonly userId: UserId;
  readonly position: number;
  readonly wasJoined: boolean;
  readonly isJoined: boolean;
  /** She was not before. */
  readonly isInvited: boolean;
}

export class LiveRoom {
  readonly roomId: RoomId;
  /** Those of the users in memory who are to be woken. */
  readonly watchers = new Set<LiveUser>();
  /** Whether `latest` and `latestReceipt` are known. */
  loaded = false;
  latest: TimelineRow | undefined;
  /** Position of the newest receipt, 0 when none. */
  latestReceipt = 0;

  #rows: TimelineRow[] = [];
  #rowsAfter: number;
  #members: MemberChange[] = [];
  #membersAfter: number;
  #receipts: StoredReceipt[] = [];
  #receiptsAfter: number;

  /** From here on it is told of every row after `rowsAfter` and every receipt after `receiptsAfter`. */
  constructor(roomId: RoomId, rowsAfter: number, receiptsAfter: number) {
    this.roomId = roomId;
    this.#rowsAfter = rowsAfter;
    this.#membersAfter = rowsAfter;
    this.#receiptsAfter = receiptsAfter;
  }

  /** What was read from the database; what was told meanwhile is newer. */
  load(latest: TimelineRow | undefined, latestReceipt: number): void {
    this.loaded = true;
    this.latest ??= latest;
    this.latestReceipt = Math.max(this.latestReceipt, latestReceipt);
  }

  addRow(row: TimelineRow): void {
    if (row.position < 0 || row.position <= this.#rowsAfter) return;
    if (this.latest !== undefined && row.position <= this.latest.position) {
      this.#forgetRows(this.latest.position);
      return;
    }
    this.latest = row;
    this.#rows.push(row);
    if (this.#rows.length > KEPT_ROWS * 2) {
      this.#rowsAfter = this.#rows[this.#rows.length - KEPT_ROWS - 1]?.position ?? 0;
      this.#rows = this.#rows.slice(-KEPT_ROWS);
    }
  }

  /** For a row that had been held back: its place is between rows that are here, so the database has to be asked. */
  #forgetRows(upTo: number): void {
    this.#rows = [];
    this.#rowsAfter = upTo;
  }

  addMember(change: MemberChange): void {
    this.#members.push(change);
    if (this.#members.length > KEPT_ROWS * 2) {
      this.#membersAfter = this.#members[this.#members.length - KEPT_ROWS - 1]?.position ?? 0;
      this.#members = this.#members.slice(-KEPT_ROWS);
    }
  }

  addReceipt(receipt: StoredReceipt): void {
    this.latestReceipt = Math.max(this.latestReceipt, receipt.position);
    // As in the database, it takes the place of the one before it.
    this.#receipts = this.#receipts.filter((other) => !isSameMarker(other, receipt));
    this.#receipts.push(receipt);
    if (this.#receipts.length > KEPT_ROWS * 2) {
      this.#receiptsAfter = this.#receipts[this.#receipts.length - KEPT_ROWS - 1]?.position ?? 0;
      this.#receipts = this.#receipts.slice(-KEPT_ROWS);
    }
  }

  /** Rows after `after` up to `upTo`, newest first; undefined when some of them are in the database only. */
  rows(after: number, upTo: number): TimelineRow[] | undefined {
    if (after < this.#rowsAfter) return undefined;
    const found: TimelineRow[] = [];
    for (let index = this.#rows.length - 1; index >= 0; index--) {
      const row = this.#rows[index] as TimelineRow;
      if (row.position <= after) break;
      if (row.position <= upTo) found.push(row);
    }
    return found;
  }

  /** In order; undefined when some of them are in the states of the room only. */
  members(after: number, upTo: number): MemberChange[] | undefined {
    if (after < this.#membersAfter) return undefined;
    return this.#members.filter(({ position }) => position > after && position <= upTo);
  }

  /** In order; undefined when some of them are in the database only. */
  receipts(after: number, upTo: number): StoredReceipt[] | undefined {
    if (after >= this.latestReceipt && this.loaded) return [];
    if (after < this.#receiptsAfter) return undefined;
    return this.#receipts.filter(({ position }) => position > after && position <= upTo);
  }
}

function isSameMarker(one: StoredReceipt, other: StoredReceipt): boolean {
  return one.userId === other.userId && one.type === other.type && one.threadId === other.threadId;
}
