// What every part of the roomserver works with. Built once, in roomserver.ts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { FederationsenderApi } from '../federationsender/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { Events } from './events.ts';
import type { Backfills } from './fetching/backfills.ts';
import type { KeyRing } from './input/key-ring.ts';
import type { LackingMembers } from './input/lacking-members.ts';
import type { MissingEvents } from './input/missing-events.ts';
import type { RemoteRooms } from './membership/remote-rooms.ts';
import type { OutboundPeeks } from './peeking/outbound-peeks.ts';
import type { PurgeSweeper } from './purge/purge-sweeper.ts';
import type { StagedWorker } from './receiving/staged-worker.ts';
import type { Turns } from './remote/turns.ts';
import type { Rooms } from './rooms/rooms.ts';
import type { StateStore } from './state/state-store.ts';

export interface RoomserverConfig {
  readonly defaultRoomVersion: RoomVersionId;
  readonly peeking: {
    /** Life of a device's peek after POST /peek, in ms. */
    readonly lifetimeMs: number;
  };
}

export type PeekSender = Pick<
  FederationsenderApi,
  'performOutboundPeek' | 'performCancelOutboundPeek'
>;

export type HandshakeSender = Pick<
  FederationsenderApi,
  | 'performMakeHandshake'
  | 'performSendJoin'
  | 'performSendLeave'
  | 'performSendKnock'
  | 'performOfferEvent'
  | 'performSendInvite'
  | 'queryRemoteAlias'
>;

export interface RoomserverContext {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly config: RoomserverConfig;
  readonly rooms: Rooms;
  readonly events: Events;
  readonly states: StateStore;
  readonly keyRing: KeyRing;
  readonly missingEvents: MissingEvents;
  readonly lackingMembers: LackingMembers;
  readonly remoteRooms: RemoteRooms;
  readonly purges: PurgeSweeper;
  readonly federationsender: PeekSender;
  /** Absent: no other server can be asked. */
  readonly federation?: Pick<FederationClient, 'request'>;
  readonly outboundPeeks: OutboundPeeks;
  readonly staged: StagedWorker;
  /** Undefined where no other server can be asked. */
  readonly backfills: Backfills | undefined;
  /** By room: what waits for other servers. */
  readonly turns: Turns;
}
