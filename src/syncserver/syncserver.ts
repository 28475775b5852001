// Puts the syncserver together: its tables, its consumers, and its interface by topic.

import type { Clock } from '../clock.ts';
import type { Database, Queryable } from '../database/database.ts';
import type { DurableTopic } from '../eventlog/entries.ts';
import type { EventLog, Subscription } from '../eventlog/eventlog.ts';
import type { Logger } from '../logger.ts';
import {
  type RoomId,
  type ServerName,
  serverNameOf,
  type UserId,
} from '../protocol/identifiers.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { UserserverApi } from '../userserver/api.ts';
import type { SyncserverApi } from './api.ts';
import { listenToPresence } from './consumers/edu-presence.ts';
import { consumeReceipts } from './consumers/edu-receipt.ts';
import { consumeToDevice } from './consumers/edu-to-device.ts';
import { listenToTyping } from './consumers/edu-typing.ts';
import { consumeRoomserverOutput } from './consumers/roomserver-output.ts';
import { consumeUserserverOutput } from './consumers/userserver-output.ts';
import type { SyncserverConfig, SyncserverContext } from './context.ts';
import { contextOfEvent } from './context-of-event/context.ts';
import { EventSource } from './events/event-source.ts';
import { events } from './legacy/events.ts';
import { initialSync } from './legacy/initial-sync.ts';
import { roomInitialSync } from './legacy/room-initial-sync.ts';
import { DeviceListTracker } from './live/device-list-tracker.ts';
import { Live } from './live/live.ts';
import { type Consumed, Positions } from './live/positions.ts';
import { PresenceTracker } from './live/presence-tracker.ts';
import {
  queryPresence,
  querySharesRoom,
  wakeNeighbours,
  wakeNeighboursOfRemote,
} from './live/sharing.ts';
import { TypingTracker } from './live/typing-tracker.ts';
import { wakeAll } from './live/wake.ts';
import { notifications } from './notifications/notifications.ts';
import { PeekInterestPublisher } from './peeks/peek-interest.ts';
import { checkPeekLimits } from './peeks/peek-limits.ts';
import { PeekReservations } from './peeks/peek-reservations.ts';
import { queryPeek } from './peeks/query-peek.ts';
import { PurgedRooms } from './purge/purged-rooms.ts';
import { relations } from './relations/relations.ts';
import { queryAccess } from './rooms/access.ts';
import { event } from './rooms/event.ts';
import { messages } from './rooms/messages.ts';
import { joinedMembers, members, state, stateEvent } from './rooms/state.ts';
import { migrations } from './store/migrations.ts';
import { countLookingDevices } from './store/peeks.ts';
import { selectFollowed } from './store/remote-members.ts';
import { deviceListChanges } from './sync/device-list-changes.ts';
import { LazyMembers } from './sync/lazy-members.ts';
import { createHeroCandidates } from './sync/summary.ts';
import { sync } from './sync/sync.ts';
import { UnreadCache } from './unread/unread-cache.ts';

export interface SyncserverOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly roomserver: RoomserverApi;
  readonly userserver: UserserverApi;
  readonly config: SyncserverConfig;
}

export interface Syncserver {
  readonly api: SyncserverApi;
  /** Whether a long poll of the user waits for a change: for tests that want a wake-up. */
  isWaiting(userId: UserId): boolean;
  close(): Promise<void>;
}

/** How long an acknowledged write may wait to be visible, in ms. */
const DEFAULT_WAIT_MS = 1_000;
/** How long history that has come may take to be visible to who asks for it, in ms. */
const HISTORY_WAIT_MS = 5_000;
/** At start, for what was written while the syncserver was not running, in ms. */
const CATCH_UP_MS = 60_000;

type Subscriptions = Readonly<Record<keyof Consumed, Subscription>>;

/** How many devices look into each room; of a database that the syncserver of another process may be using. */
export function countLookers(database: Queryable, now: number): Promise<Map<RoomId, number>> {
  return countLookingDevices(database, now);
}

export async function createSyncserver(options: SyncserverOptions): Promise<Syncserver> {
  await options.database.migrate('syncserver', migrations);
  const context = createContext(options, await options.eventLog.head('userserver.output'));
  const { eventLog, typing, interest, purges } = context;
  const rooms = eventLog.consume(consumeRoomserverOutput(context));
  const subscriptions: Subscriptions = {
    rooms,
    users: eventLog.consume(consumeUserserverOutput(context)),
    receipts: eventLog.consume(consumeReceipts(context, rooms)),
    toDevice: eventLog.consume(consumeToDevice(context)),
  };
  await catchUp(context, subscriptions);
  await interest.start();
  purges.start();
  const unlisten = [listenToTyping(eventLog, typing), listenToPresence(context)];
  return {
    api: createApi(context, subscriptions),
    isWaiting: (userId) => context.live.cachedUser(userId)?.isWaiting ?? false,
    close: async () => {
      for (const end of unlisten) end();
      typing.close();
      await Promise.all(Object.values(subscriptions).map((subscription) => subscription.close()));
      await interest.close();
      await purges.close();
    },
  };
}

/** `usersFrom`: the position in `userserver.output` after which everything is going to be consumed. */
function createContext(options: SyncserverOptions, usersFrom: number): SyncserverContext {
  const { database, clock, eventLog, logger, config, roomserver, serverName } = options;
  const positions = new Positions({ rooms: 0, users: 0, receipts: 0, toDevice: 0 });
  const live = new Live(database, positions);
  return {
    ...options,
    positions,
    live,
    events: new EventSource(roomserver),
    typing: new TypingTracker(clock, (roomId) => {
      wakeAll(live.room(roomId)?.watchers ?? []);
    }),
    presence: new PresenceTracker((userId) => {
      if (serverNameOf(userId) === serverName) wakeNeighbours({ live, logger }, userId);
      else wakeNeighboursOfRemote({ live, logger, database }, userId);
    }),
    deviceLists: new DeviceListTracker(usersFrom),
    lazyMembers: new LazyMembers(),
    heroCandidates: createHeroCandidates(),
    unread: new UnreadCache(),
    interest: new PeekInterestPublisher({
      database,
      eventLog,
      clock,
      logger,
      graceMs: config.peeking.graceMs,
    }),
    reservations: new PeekReservations(clock),
    purges: new PurgedRooms({ database, clock, logger }),
    epoch: clock.now(),
  };
}

/** Nobody is answered before it is known how far was consumed: tokens would go back. */
async function catchUp(
  { eventLog, positions }: SyncserverContext,
  subscriptions: Subscriptions,
): Promise<void> {
  const topics: Readonly<Record<keyof Consumed, DurableTopic>> = {
    rooms: 'roomserver.output',
    users: 'userserver.output',
    receipts: 'edu.receipt',
    toDevice: 'edu.to_device',
  };
  for (const stream of Object.keys(topics) as (keyof Consumed)[]) {
    const head = await eventLog.head(topics[stream]);
    if (head > 0) await subscriptions[stream].reached(head, CATCH_UP_MS);
    positions.advance(stream, subscriptions[stream].position);
  }
}

function createApi(context: SyncserverContext, subscriptions: Subscriptions): SyncserverApi {
  const reachRooms = (position: number) => subscriptions.rooms.reached(position, HISTORY_WAIT_MS);
  return {
    waitForPositions: async ({ timeoutMs = DEFAULT_WAIT_MS, ...wanted }) => {
      const waits = Object.entries(wanted) as [keyof Consumed, number | undefined][];
      await Promise.all(
        waits.map(([stream, position]) =>
          position === undefined ? true : subscriptions[stream].reached(position, timeoutMs),
        ),
      );
    },
    sync: (request) => sync(context, request),
    deviceListChanges: (request) => deviceListChanges(context, request),

    messages: (request) => messages({ ...context, reachRooms }, request),
    event: (request) => event(context, request),
    state: (request) => state(context, request),
    stateEvent: (request) => stateEvent(context, request),
    members: (request) => members(context, request),
    joinedMembers: (request) => joinedMembers(context, request),
    context: (request) => contextOfEvent(context, request),
    relations: (request) => relations(context, request),

    roomInitialSync: (request) => roomInitialSync(context, request),
    initialSync: (request) => initialSync(context, request),
    events: (request) => events(context, request),
    notifications: (request) => notifications(context, request),

    queryPeek: (request) => queryPeek(context, request),
    checkPeekLimits: (request) => checkPeekLimits(context, request),
    cancelPeek: async (request) => context.reservations.release(request),
    queryAccess: (request) => queryAccess(context, request),

    queryFollowed: async ({ userIds }) => ({
      userIds: userIds.length === 0 ? [] : await selectFollowed(context.database, userIds),
    }),
    queryPresence: (request) => queryPresence(context, request),
    querySharesRoom: (request) => querySharesRoom(context, request),
  };
}
