// What a change of the current state means: for the log, and for what the head keeps count of.

import type { StateChange, StateSnapshotId } from '../../eventlog/entries.ts';
import { readHistoryVisibility } from '../../protocol/events/content.ts';
import {
  type EventId,
  isUserId,
  type ServerName,
  serverNameOf,
} from '../../protocol/identifiers.ts';
import type { StateEntryChange } from '../api.ts';
import type { EventRecord } from '../event-record.ts';
import type { RoomDraft } from './room-draft.ts';
import type { RoomHead } from './room-head.ts';

/** The changes as the log tells them: with senders, and memberships before and after. */
export async function describeChanges(
  room: RoomDraft,
  changes: readonly StateEntryChange[],
): Promise<StateChange[]> {
  const ids = new Set<EventId>();
  for (const { type, from, to } of changes) {
    if (to !== undefined) ids.add(to);
    if (from !== undefined && type === 'm.room.member') ids.add(from);
  }
  const events = await room.events(ids);
  return changes.map((change) => describe(change, events));
}

function describe(
  { type, stateKey, from, to }: StateEntryChange,
  events: ReadonlyMap<EventId, EventRecord>,
): StateChange {
  const now = to === undefined ? undefined : events.get(to)?.pdu;
  const before = from === undefined ? undefined : events.get(from)?.pdu;
  const previousMembership = before?.membership;
  return {
    type,
    stateKey,
    ...(to !== undefined && { eventId: to }),
    ...(from !== undefined && { replacedEventId: from }),
    ...(now !== undefined && { sender: now.sender }),
    ...(now?.membership !== undefined && { membership: now.membership }),
    ...(previousMembership !== undefined && { previousMembership }),
  };
}

/** Puts the new state in force: the draft's head with its counts, visibility and encryption, and local memberships. */
export async function applyChanges(
  room: RoomDraft,
  currentState: StateSnapshotId,
  { changes, serverName }: { changes: readonly StateChange[]; serverName: ServerName },
): Promise<void> {
  let head: RoomHead = { ...room.head, currentState };
  for (const change of changes) {
    if (change.type === 'm.room.member') head = countMember(room, head, { change, serverName });
    else if (change.stateKey === '') head = await applySetting(room, head, change);
  }
  room.head = head;
}

async function applySetting(
  room: RoomDraft,
  head: RoomHead,
  { type, eventId }: StateChange,
): Promise<RoomHead> {
  switch (type) {
    case 'm.room.create':
      return { ...head, createEventId: eventId ?? head.createEventId };
    case 'm.room.encryption':
      return { ...head, encrypted: eventId !== undefined };
    case 'm.room.history_visibility': {
      const event = eventId === undefined ? undefined : await room.event(eventId);
      return { ...head, visibility: readHistoryVisibility(event?.pdu.content) };
    }
    default:
      return head;
  }
}

function countMember(
  room: RoomDraft,
  head: RoomHead,
  { change, serverName }: { change: StateChange; serverName: ServerName },
): RoomHead {
  const { stateKey: userId, membership, previousMembership, eventId } = change;
  const by = (wanted: string) =>
    Number(membership === wanted) - Number(previousMembership === wanted);
  const joined = by('join');
  const counted = {
    ...head,
    joinedMembers: head.joinedMembers + joined,
    invitedMembers: head.invitedMembers + by('invite'),
  };
  if (!isUserId(userId)) return counted;
  const host = serverNameOf(userId);
  const { joinedHosts, memberships } = room.changes;
  if (joined !== 0) joinedHosts.set(host, (joinedHosts.get(host) ?? 0) + joined);
  if (host !== serverName) return counted;
  memberships.set(
    userId,
    eventId === undefined || membership === undefined ? null : { userId, membership, eventId },
  );
  return { ...counted, localMembers: head.localMembers + joined };
}
