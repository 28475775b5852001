// What every part of the syncserver works with. Built once, in syncserver.ts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { UserserverApi } from '../userserver/api.ts';
import type { EventSource } from './events/event-source.ts';
import type { DeviceListTracker } from './live/device-list-tracker.ts';
import type { Live } from './live/live.ts';
import type { Positions } from './live/positions.ts';
import type { PresenceTracker } from './live/presence-tracker.ts';
import type { TypingTracker } from './live/typing-tracker.ts';
import type { PeekInterestPublisher } from './peeks/peek-interest.ts';
import type { PeekReservations } from './peeks/peek-reservations.ts';
import type { PurgedRooms } from './purge/purged-rooms.ts';
import type { LazyMembers } from './sync/lazy-members.ts';
import type { HeroCandidates } from './sync/summary.ts';
import type { UnreadCache } from './unread/unread-cache.ts';

export interface SyncserverConfig {
  readonly peeking: {
    /** Life of a device's peek, in ms. */
    readonly lifetimeMs: number;
    /** A device that has not synced for this long, in ms, is not looking. */
    readonly graceMs: number;
    readonly maxPerUser: number;
    readonly maxPerRoom: number;
  };
}

export interface SyncserverContext {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: SyncserverConfig;
  readonly roomserver: RoomserverApi;
  readonly userserver: UserserverApi;
  readonly positions: Positions;
  readonly live: Live;
  readonly events: EventSource;
  readonly typing: TypingTracker;
  readonly presence: PresenceTracker;
  readonly deviceLists: DeviceListTracker;
  readonly lazyMembers: LazyMembers;
  readonly heroCandidates: HeroCandidates;
  readonly unread: UnreadCache;
  /** Names this process to counters that do not outlive it. */
  readonly epoch: number;
  readonly interest: PeekInterestPublisher;
  readonly reservations: PeekReservations;
  readonly purges: PurgedRooms;
}
