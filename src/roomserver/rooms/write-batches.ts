// Writes the changes of many rooms set-wise: one statement per table that has anything to be written.

import type { Transaction } from '../../database/database.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { insertEvents, updateEvents } from '../store/events.ts';
import { deleteInvitesOfRoom } from '../store/invites.ts';
import { deleteLackingMembersOfRoom } from '../store/lacking-members.ts';
import {
  deleteMembers,
  deleteMemberships,
  type MembershipChange,
  updateGuest,
  updateJoinedHosts,
  upsertMemberships,
} from '../store/memberships.ts';
import {
  deleteMissing,
  deleteReferences,
  deleteWaitingRedactions,
  insertMissing,
  insertWaitingRedactions,
} from '../store/references.ts';
import { deleteHead, upsertHeads } from '../store/rooms.ts';
import { insertNodes } from '../store/state-nodes.ts';
import { insertTransactions } from '../store/transactions.ts';
import type { DraftBatch } from './draft-batch.ts';
import { RepeatedTransaction } from './sent-transactions.ts';

/** Throws RepeatedTransaction when one of the batches has a transaction that was sent before. */
export async function writeBatches(
  tx: Transaction,
  batches: readonly DraftBatch[],
  nextTransactionId: () => number,
): Promise<void> {
  const kept = batches.filter((batch) => !batch.isRemoved);
  // Of removed rooms too: the log still names them.
  await writeEvents(tx, batches);
  await writeNodes(tx, batches);
  await writeHeads(tx, kept);
  await writeTransactions(tx, kept, nextTransactionId);
  await writeMembers(tx, kept);
  await writeReferences(tx, kept);
  for (const batch of batches) {
    if (batch.isRemoved) await deleteRoom(tx, batch.head.roomId);
    for (const write of batch.changes.writes) await write(tx);
  }
}

async function writeEvents(tx: Transaction, batches: readonly DraftBatch[]): Promise<void> {
  const events = batches.flatMap(({ changes }) => [...changes.events.values()]);
  if (events.length > 0) await insertEvents(tx, events);
  const updated = batches.flatMap(({ changes }) => [...changes.updated.values()]);
  if (updated.length > 0) await updateEvents(tx, updated);
}

async function writeNodes(tx: Transaction, batches: readonly DraftBatch[]): Promise<void> {
  const nodes = batches.flatMap(({ head, newNodes }) =>
    Array.from(newNodes, ([id, { content }]) => ({ room_id: head.roomId, node_id: id, content })),
  );
  if (nodes.length > 0) await insertNodes(tx, nodes);
}

async function writeHeads(tx: Transaction, batches: readonly DraftBatch[]): Promise<void> {
  const heads = batches.filter(({ hasNewHead }) => hasNewHead).map(({ head }) => head);
  if (heads.length > 0) await upsertHeads(tx, heads);
}

async function writeTransactions(
  tx: Transaction,
  batches: readonly DraftBatch[],
  nextId: () => number,
): Promise<void> {
  const sent = batches.flatMap(({ changes }) =>
    changes.transactions.map((transaction) => ({ ...transaction, id: nextId() })),
  );
  if (sent.length === 0) return;
  if ((await insertTransactions(tx, sent)) < sent.length) throw new RepeatedTransaction();
}

async function writeMembers(tx: Transaction, batches: readonly DraftBatch[]): Promise<void> {
  const members: MembershipChange[] = [];
  const gone: Pick<MembershipChange, 'roomId' | 'userId'>[] = [];
  for (const { head, changes } of batches) {
    for (const [userId, member] of changes.memberships) {
      if (member === null) gone.push({ roomId: head.roomId, userId });
      else members.push({ roomId: head.roomId, ...member });
    }
  }
  if (members.length > 0) await upsertMemberships(tx, members);
  if (gone.length > 0) await deleteMemberships(tx, gone);
  for (const { head, changes } of batches) {
    for (const [userId, isGuest] of changes.guests) {
      await updateGuest(tx, { roomId: head.roomId, userId, isGuest });
    }
  }
  const hosts = batches.flatMap(({ head, changes }) =>
    Array.from(changes.joinedHosts, ([host, by]) => ({ roomId: head.roomId, host, by })),
  );
  const changed = hosts.filter(({ by }) => by !== 0);
  if (changed.length > 0) await updateJoinedHosts(tx, changed);
}

async function writeReferences(tx: Transaction, batches: readonly DraftBatch[]): Promise<void> {
  for (const { head, changes } of batches) {
    const { roomId } = head;
    const missing = changes.missing.map(({ eventId, referencedBy }) => ({
      room_id: roomId,
      event_id: eventId,
      referenced_by: referencedBy,
    }));
    if (missing.length > 0) await insertMissing(tx, missing);
    if (changes.arrived.size > 0) await deleteMissing(tx, roomId, [...changes.arrived]);
    const waiting = changes.waitingRedactions.map(({ redacts, redactionId }) => ({
      room_id: roomId,
      redacts,
      redaction_id: redactionId,
    }));
    if (waiting.length > 0) await insertWaitingRedactions(tx, waiting);
    const settled = [...changes.settledRedactions];
    if (settled.length > 0) await deleteWaitingRedactions(tx, roomId, settled);
  }
}

/** Its events and states, of which there may be many, are left to the purge that removes it. */
async function deleteRoom(tx: Transaction, roomId: RoomId): Promise<void> {
  await deleteMembers(tx, roomId);
  await deleteInvitesOfRoom(tx, roomId);
  await deleteReferences(tx, roomId);
  await deleteLackingMembersOfRoom(tx, roomId);
  await deleteHead(tx, roomId);
}
