// Puts the federationsender together: its tables, its consumers, what it sends, and its interface.

import { randomInt } from 'node:crypto';
import { type Clock, systemClock } from '../clock.ts';
import type { Database, Queryable } from '../database/database.ts';
import type { EventLog, Subscription } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { randomOpaqueId } from '../protocol/opaque-ids.ts';
import type { FederationsenderApi } from './api.ts';
import { consumeReceipts } from './consumers/edu-receipt.ts';
import { consumeToDevice } from './consumers/edu-to-device.ts';
import { listenToPresence, listenToTyping } from './consumers/passing-topics.ts';
import { consumeRoomserverOutput } from './consumers/roomserver-output.ts';
import { consumeUserserverOutput } from './consumers/userserver-output.ts';
import type { FederationsenderContext } from './context.ts';
import { DestinationIds } from './destination-ids.ts';
import { Outbox } from './edus/outbox.ts';
import { PassingEdus } from './edus/passing-edus.ts';
import { TypingUsers } from './edus/typing-users.ts';
import { createHandshakeApi } from './handshakes/handshakes.ts';
import { type InboundPeekLimits, InboundPeeks } from './inbound-peeks.ts';
import { OutboundPeekKeeper } from './outbound-peeks/outbound-peeks.ts';
import type { PeekApi } from './peek-api.ts';
import { AliveServers } from './sending/alive.ts';
import { Collapses } from './sending/collapse.ts';
import type { SendingContext } from './sending/context.ts';
import { delivered } from './sending/delivered.ts';
import { Dispatcher } from './sending/dispatcher.ts';
import { FailureBatches } from './sending/failure-batches.ts';
import type { LaneLimits } from './sending/lanes.ts';
import { PduCache } from './sending/pdu-cache.ts';
import { Sweeper } from './sending/sweeper.ts';
import { migrations } from './store/migrations.ts';
import { type ListedPeek, selectAllPeeks } from './store/peek-list.ts';

export interface FederationsenderOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly client: FederationClient;
  /** How many destinations are sent to at once. */
  readonly limits?: LaneLimits;
  /** From 0 to 1: for tests. */
  readonly random?: () => number;
  /** Of other servers' looks into our rooms. */
  readonly peekLimits?: InboundPeekLimits;
}

export interface Federationsender {
  readonly api: FederationsenderApi;
  /** How far a topic has been consumed: for tests. */
  position(topic: ConsumedTopic): number;
  /** Nothing is being sent, and nothing that could be sent now waits: for tests. */
  isIdle(): boolean;
  /** Breaks off what is being sent: it is sent again at the next start, under the same transaction id. */
  close(): Promise<void>;
}

export type ConsumedTopic =
  | 'roomserver.output'
  | 'userserver.output'
  | 'edu.to_device'
  | 'edu.receipt';
type Subscriptions = Readonly<Record<ConsumedTopic, Subscription>>;

const PEEK_LIMITS: InboundPeekLimits = { maxPerServer: 1000, maxPerRoom: 2000 };
const LIMITS: LaneLimits = { living: 100, doubtful: 100, slow: 200 };
const TXN_PREFIX_LENGTH = 12;
/** How long a look waits until the server has what we have said in the room, ms. */
const DELIVERED_WITHIN_MS = 5_000;
/** How long those wait who want their entry to be consumed, ms. */
const CONSUMED_WITHIN_MS = 5_000;

export async function createFederationsender(
  options: FederationsenderOptions,
): Promise<Federationsender> {
  await options.database.migrate('federationsender', migrations);
  const ending = new AbortController();
  const { context, alive } = await createContext(options, ending.signal);
  const { dispatcher, inboundPeeks, outboundPeeks, passing, typing } = context;
  const sweeper = new Sweeper(options);
  await outboundPeeks.open();
  const subscriptions = subscribe(context);
  const unlisten = [listenToTyping(context), listenToPresence(context)];
  await inboundPeeks.open();
  await dispatcher.start();
  sweeper.start();
  return {
    api: {
      ...createHandshakeApi(options),
      ...peekApi(context, subscriptions['roomserver.output']),
      noteServerAlive: async ({ server }) => {
        outboundPeeks.heard(server);
        await alive.note(server);
      },
    },
    position: (topic) => subscriptions[topic].position,
    isIdle: () => dispatcher.size === 0 && passing.isIdle && outboundPeeks.isIdle,
    close: async () => {
      for (const end of unlisten) end();
      await Promise.all(Object.values(subscriptions).map((subscription) => subscription.close()));
      typing.close();
      passing.close();
      await inboundPeeks.close();
      ending.abort();
      await outboundPeeks.close();
      await dispatcher.close();
      await sweeper.close();
    },
  };
}

/** Looks across servers, in both directions; of a database that the federationsender of another process may be using. */
export function listPeeks(database: Queryable, now: number): Promise<ListedPeek[]> {
  return selectAllPeeks(database, now);
}

async function createContext(
  options: FederationsenderOptions,
  signal: AbortSignal,
): Promise<{ context: FederationsenderContext; alive: AliveServers }> {
  const outbox = new Outbox();
  const alive = new AliveServers(options, () => dispatcher.rouse());
  const dispatcher = new Dispatcher({
    ...sendingContext(options, outbox, signal),
    limits: options.limits ?? LIMITS,
    onFailure: ({ server }) => alive.failed(server),
  });
  const wake = (ids: readonly number[]) => dispatcher.wake(ids);
  const passing = new PassingEdus({ ...options, outbox, wake });
  const context: FederationsenderContext = {
    ...options,
    destinationIds: await DestinationIds.open(options.database),
    dispatcher,
    passing,
    typing: new TypingUsers(options.clock, (roomId, change) => passing.typing(roomId, change)),
    inboundPeeks: new InboundPeeks({
      ...options,
      limits: options.peekLimits ?? PEEK_LIMITS,
      onExpired: wake,
    }),
    outboundPeeks: new OutboundPeekKeeper({
      ...options,
      random: randomOf(options),
      delivered: (peek) => delivered({ ...options, dispatcher }, peek, DELIVERED_WITHIN_MS),
    }),
  };
  return { context, alive };
}

function subscribe(context: FederationsenderContext): Subscriptions {
  const { eventLog } = context;
  const rooms = eventLog.consume(consumeRoomserverOutput(context));
  return {
    'roomserver.output': rooms,
    'userserver.output': eventLog.consume(consumeUserserverOutput(context, rooms)),
    'edu.to_device': eventLog.consume(consumeToDevice(context)),
    'edu.receipt': eventLog.consume(consumeReceipts(context)),
  };
}

function sendingContext(
  options: FederationsenderOptions,
  outbox: Outbox,
  signal: AbortSignal,
): SendingContext {
  const prefix = randomOpaqueId(TXN_PREFIX_LENGTH);
  let lastTxn = 0;
  const nextTxnId = () => {
    lastTxn += 1;
    return `${prefix}${lastTxn}`;
  };
  const timers = systemClock;
  return {
    ...options,
    timers,
    outbox,
    pdus: new PduCache(options.database),
    failures: new FailureBatches({ ...options, timers }),
    collapses: new Collapses(options.database),
    random: randomOf(options),
    nextTxnId,
    signal,
  };
}

function randomOf({ random }: FederationsenderOptions): () => number {
  return random ?? (() => randomInt(2 ** 32) / 2 ** 32);
}

function peekApi(
  { inboundPeeks, outboundPeeks, eventLog }: FederationsenderContext,
  rooms: Subscription,
): PeekApi {
  return {
    performOutboundPeek: async (request) => {
      // What has just been said in the room is queued before it is looked into.
      await rooms.reached(await eventLog.head('roomserver.output'), CONSUMED_WITHIN_MS);
      return outboundPeeks.begin(request);
    },
    performCancelOutboundPeek: (peek) => outboundPeeks.cancel(peek),
    queryInboundPeek: async (key) => ({ isActive: await inboundPeeks.isActive(key) }),
    checkInboundPeekLimits: (key) => inboundPeeks.checkLimits(key),
    noteExpiredPeeks: ({ server, peeks }) => outboundPeeks.expired(server, peeks),
    waitForRooms: ({ position }) => rooms.reached(position, CONSUMED_WITHIN_MS),
  };
}
