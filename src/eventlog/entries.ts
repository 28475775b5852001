// What travels through the event log: topics, who writes them, and what a consumer must do with each entry.
// Entries are JSON with a version; a reader understands its own version and the one before.

import type { PduRecord } from '../protocol/events/pdu.ts';
import type { DeviceId, EventId, RoomId, ServerName, UserId } from '../protocol/identifiers.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { HistoryVisibility } from '../protocol/visibility.ts';

export const ENTRY_VERSION = 1;

export interface EntryOf {
  /** Key: room id. Written by the roomserver. */
  'roomserver.output': RoomEntry;
  /** Key: user id. Written by the userserver. */
  'userserver.output': UserEntry;
  /** Key: room id. Written by the syncserver. */
  'syncserver.peek_interest': PeekInterest;
  /** Key: room id. Written by the federationsender. */
  'federationsender.output': OutboundPeekLost;
  /** Key: user id of the recipient. Written by clientapi and federationapi. */
  'edu.to_device': ToDeviceMessage;
  /** Key: room id. Written by clientapi and federationapi. */
  'edu.receipt': Receipt;
  /** Key: room id. */
  'edu.typing': Typing;
  /** Key: user id. */
  'edu.presence': Presence;
}

export type EphemeralTopic = 'edu.typing' | 'edu.presence';
export type DurableTopic = Exclude<keyof EntryOf, EphemeralTopic>;

// --- roomserver.output -----------------------------------------------------------------------------

/** An immutable state of a room, by the id of its root; ask the roomserver's `queryState` what is in it. */
export type StateSnapshotId = string;

export interface StateChange {
  readonly type: string;
  readonly stateKey: string;
  /** The event that now holds the key; absent when the key is gone. */
  readonly eventId?: EventId;
  readonly replacedEventId?: EventId;
  readonly sender?: UserId;
  /** For m.room.member: membership now and before (`undefined` = none). */
  readonly membership?: string;
  readonly previousMembership?: string;
}

export type RoomEntry = { readonly v: number } & (
  | NewRoomEvent
  | OldRoomEvent
  | StateReplaced
  | RedactedEvent
  | NewInvite
  | RetireInvite
  | NewPeek
  | RetirePeek
  | RetireAllPeeks
  | NewInboundPeek
  | RetireInboundPeek
  | NewOutboundPeek
  | RetireOutboundPeek
  | ForgetRoom
  | PurgeRoom
);

/**
 * An event was accepted at the end of the room's timeline (neither rejected nor soft-failed).
 * syncserver: add it to the timeline, apply `stateChanges` to its memberships and peeks, wake devices.
 * federationsender: send it to `hostsAtEvent` and to inbound peeks when `sendAs` says so.
 */
export interface NewRoomEvent {
  readonly kind: 'NewRoomEvent';
  readonly event: PduRecord;
  /** Changes of the *current* state after resolution: usually this event alone, none for messages. */
  readonly stateChanges: readonly StateChange[];
  /** State of the room before this event (its own place in the DAG), resolved. */
  readonly stateBefore: StateSnapshotId;
  /** Current state of the room once this entry has been applied. */
  readonly currentState: StateSnapshotId;
  /** History visibility in force at the event; for a change of visibility the more open of the two. */
  readonly visibilityAtEvent: HistoryVisibility;
  /** History visibility and encryption of the current state once this entry has been applied. */
  readonly currentVisibility: HistoryVisibility;
  readonly encrypted: boolean;
  /** The room's forward extremities once this entry has been applied; absent: this event alone. */
  readonly extremities?: readonly EventId[];
  /** It is for us to distribute, in this server's name. Absent for events that others distribute. */
  readonly sendAs?: ServerName;
  /** The client's transaction, for `unsigned.transaction_id` on that device. */
  readonly transaction?: { readonly deviceId: DeviceId; readonly id: string };
  /** By it this server has come into a room in which others are. */
  readonly isArrival?: true;
}

/** Backfilled history: goes before what is there, is never relayed and wakes nobody. */
export interface OldRoomEvent {
  readonly kind: 'OldRoomEvent';
  readonly event: PduRecord;
  readonly stateBefore: StateSnapshotId;
  readonly visibilityAtEvent: HistoryVisibility;
}

/**
 * The current state changed without a new timeline event: a whole state arrived (join, peek, resync) or
 * resolution changed it. Consumers apply `stateChanges` to what they keep; clients get it in `state`.
 * After `join`, `peek`, `resync` and `gap` (nothing changed, but what comes before the next event is not here) timelines
 * start anew (`limited`).
 */
export interface StateReplaced {
  readonly kind: 'StateReplaced';
  readonly reason: 'join' | 'peek' | 'resync' | 'gap' | 'resolution';
  readonly roomVersion: RoomVersionId;
  readonly stateChanges: readonly StateChange[];
  readonly currentState: StateSnapshotId;
  readonly currentVisibility: HistoryVisibility;
  readonly encrypted: boolean;
}

/** `redacted` was redacted by `redaction`: drop what is cached of it. The redaction itself came as NewRoomEvent. */
export interface RedactedEvent {
  readonly kind: 'RedactedEvent';
  readonly redacted: EventId;
  readonly redaction: EventId;
}

/** A local user was invited to, or knocked on, a room in which we are not resident. (In resident rooms NewRoomEvent says it.) */
export interface NewInvite {
  readonly kind: 'NewInvite';
  readonly userId: UserId;
  readonly membership: 'invite' | 'knock';
  readonly event: PduRecord;
  /** Stripped state. */
  readonly strippedState: readonly JsonObject[];
}

/** That invite or knock was accepted, rejected or taken back. */
export interface RetireInvite {
  readonly kind: 'RetireInvite';
  readonly userId: UserId;
  readonly eventId: EventId;
  readonly membership: string;
  /** That of `eventId`: the user's member event, for clients. Absent in entries of before it was added. */
  readonly event?: PduRecord;
}

/** A local device looks into the room: show it in `rooms.peek`. Also sent to renew (`expiryTs` moves, nothing is sent again). */
export interface NewPeek {
  readonly kind: 'NewPeek';
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** ms since the epoch. */
  readonly expiryTs: number;
  /** `sync`: MSC2753. `events`: a short peek of `initialSync` + `/events`, which `/sync` never shows. */
  readonly via: 'sync' | 'events';
  readonly currentState: StateSnapshotId;
}

export interface RetirePeek {
  readonly kind: 'RetirePeek';
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly via: 'sync' | 'events';
}

/** The room is not open any more, without an event that says so: all peeks of local devices into it end. */
export interface RetireAllPeeks {
  readonly kind: 'RetireAllPeeks';
}

/** The entry's place in the log is the cut: federationsender relays what comes after it to that server. */
export interface NewInboundPeek {
  readonly kind: 'NewInboundPeek';
  readonly server: ServerName;
  readonly peekId: string;
  /** ms since the epoch. */
  readonly expiryTs: number;
}

export interface RetireInboundPeek {
  readonly kind: 'RetireInboundPeek';
  readonly server: ServerName;
  readonly peekId: string;
  readonly reason: 'deleted' | 'expired' | 'unpeekable' | 'left';
}

export interface NewOutboundPeek {
  readonly kind: 'NewOutboundPeek';
  readonly server: ServerName;
  readonly peekId: string;
  /** ms. */
  readonly renewalInterval: number;
}

export interface RetireOutboundPeek {
  readonly kind: 'RetireOutboundPeek';
  readonly server: ServerName;
  readonly peekId: string;
}

/** The user has forgotten the room: it is not shown to her any more, history included. */
export interface ForgetRoom {
  readonly kind: 'ForgetRoom';
  readonly userId: UserId;
}

/** The room is gone from this server: drop everything that is kept of it. */
export interface PurgeRoom {
  readonly kind: 'PurgeRoom';
}

// --- userserver.output -----------------------------------------------------------------------------

export type UserEntry = { readonly v: number } & (
  | AccountDataChanged
  | PushRulesChanged
  | ProfileChanged
  | DeviceListChanged
  | SigningKeysChanged
  | KeysChangedForOne
  | RemoteDeviceListChanged
  | DeviceDeleted
  | UserDeactivated
);

/** Global (`roomId` absent) or per room. The content is asked of the userserver when it is read. */
export interface AccountDataChanged {
  readonly kind: 'AccountDataChanged';
  readonly roomId?: RoomId;
  readonly type: string;
}

/** Shown to clients as global account data `m.push_rules`. */
export interface PushRulesChanged {
  readonly kind: 'PushRulesChanged';
}

/** roomserver: update the member events of the rooms that the user has joined. Absent = removed. */
export interface ProfileChanged {
  readonly kind: 'ProfileChanged';
  readonly displayname?: string;
  readonly avatarUrl?: string;
}

/**
 * A device of a local user was added, renamed or deleted, or has other keys or signatures. The entries of one user are
 * the sequence of `m.device_list_update` that federationsender sends to all servers that share a room with her.
 * syncserver: tell those who share a room with her, and herself.
 */
export interface DeviceListChanged {
  readonly kind: 'DeviceListChanged';
  readonly deviceId: DeviceId;
  /** One more than that of the user's last entry. */
  readonly streamId: number;
  readonly prevIds: readonly number[];
  readonly deleted?: true;
  /** As other servers may see them; absent where the device has none. */
  readonly keys?: JsonObject;
  readonly displayName?: string;
}

/**
 * A local user has other cross-signing keys, or other signatures of them. federationsender: `m.signing_key_update`, as
 * for DeviceListChanged. syncserver: likewise.
 */
export interface SigningKeysChanged {
  readonly kind: 'SigningKeysChanged';
  /** As other servers may see them; absent where there is none. */
  readonly masterKey?: JsonObject;
  readonly selfSigningKey?: JsonObject;
}

/** Keys look different to the user, and to nobody else: her own user-signing key, or what she has signed with it. */
export interface KeysChangedForOne {
  readonly kind: 'KeysChangedForOne';
  /** Whose keys. */
  readonly userIds: readonly UserId[];
}

/** The key of the entry is a user of another server: she has other devices or cross-signing keys. Tell those who share a room with her. */
export interface RemoteDeviceListChanged {
  readonly kind: 'RemoteDeviceListChanged';
}

/** Logged out, deleted or its user deactivated: peeks and to-device messages of the device go. */
export interface DeviceDeleted {
  readonly kind: 'DeviceDeleted';
  readonly deviceId: DeviceId;
}

/** roomserver: leave all rooms, reject all invites. */
export interface UserDeactivated {
  readonly kind: 'UserDeactivated';
}

// --- other topics ----------------------------------------------------------------------------------

/** Whether any device looks into the room. The greatest `sequence` is what holds. */
export interface PeekInterest {
  readonly v: number;
  readonly wanted: boolean;
  readonly sequence: number;
}

/** A peek of ours has ended without our will. `ended`: the server says so; `unreachable`: it could not be renewed in time. */
export interface OutboundPeekLost {
  readonly v: number;
  readonly server: ServerName;
  readonly peekId: string;
  readonly reason: 'ended' | 'unreachable';
}

export interface ToDeviceMessage {
  readonly v: number;
  readonly sender: UserId;
  readonly recipient: UserId;
  /** `*` is every device of the recipient. */
  readonly deviceId: DeviceId | '*';
  readonly type: string;
  readonly content: JsonObject;
}

export interface Receipt {
  readonly v: number;
  readonly userId: UserId;
  readonly eventId: EventId;
  readonly type: 'm.read' | 'm.read.private';
  /** Absent: unthreaded. `main` or the thread root's event id. */
  readonly threadId?: string;
  /** ms since the epoch. */
  readonly ts: number;
}

export interface Typing {
  readonly userId: UserId;
  readonly typing: boolean;
  /** ms. */
  readonly timeoutMs: number;
}

export interface Presence {
  readonly presence: 'online' | 'offline' | 'unavailable';
  readonly statusMsg?: string;
  /** ms since the epoch. */
  readonly lastActiveTs: number;
}
