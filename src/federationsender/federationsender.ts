// Puts the federationsender together: its tables, its consumers, what it sends, and its interface.

import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog, Subscription } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import { randomOpaqueId } from '../protocol/opaque-ids.ts';
import type { FederationsenderApi } from './api.ts';
import { consumeToDevice } from './consumers/edu-to-device.ts';
import { consumeRoomserverOutput } from './consumers/roomserver-output.ts';
import { DestinationIds } from './destination-ids.ts';
import { Outbox } from './edus/outbox.ts';
import { AliveServers } from './sending/alive.ts';
import type { SendingContext } from './sending/context.ts';
import { Dispatcher } from './sending/dispatcher.ts';
import type { LaneLimits } from './sending/lanes.ts';
import { PduCache } from './sending/pdu-cache.ts';
import { Sweeper } from './sending/sweeper.ts';
import { migrations } from './store/migrations.ts';

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
}

export type ConsumedTopic = 'roomserver.output' | 'edu.to_device';

export interface Federationsender {
  readonly api: Pick<FederationsenderApi, 'noteServerAlive'>;
  /** How far a topic has been consumed: for tests. */
  position(topic: ConsumedTopic): number;
  /** Nothing is being sent, and nothing that could be sent now waits: for tests. */
  isIdle(): boolean;
  /** Breaks off what is being sent: it is sent again at the next start, under the same transaction id. */
  close(): Promise<void>;
}

const LIMITS: LaneLimits = { living: 100, doubtful: 40, slow: 200 };
const TXN_PREFIX_LENGTH = 12;

export async function createFederationsender(
  options: FederationsenderOptions,
): Promise<Federationsender> {
  const { database, eventLog } = options;
  await database.migrate('federationsender', migrations);
  const ending = new AbortController();
  const outbox = new Outbox();
  const alive = new AliveServers(options, () => dispatcher.rouse());
  const dispatcher = new Dispatcher({
    ...sendingContext(options, outbox, ending.signal),
    limits: options.limits ?? LIMITS,
    onFailure: ({ server }) => alive.failed(server),
  });
  const destinationIds = await DestinationIds.open(database);
  const context = { ...options, destinationIds, dispatcher };
  const sweeper = new Sweeper(options);
  const subscriptions: Readonly<Record<ConsumedTopic, Subscription>> = {
    'roomserver.output': eventLog.consume(consumeRoomserverOutput(context)),
    'edu.to_device': eventLog.consume(consumeToDevice(context)),
  };
  await dispatcher.start();
  sweeper.start();
  return {
    api: { noteServerAlive: ({ server }) => alive.note(server) },
    position: (topic) => subscriptions[topic].position,
    isIdle: () => dispatcher.size === 0,
    close: async () => {
      await Promise.all(Object.values(subscriptions).map((subscription) => subscription.close()));
      ending.abort();
      await dispatcher.close();
      await sweeper.close();
    },
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
  const random = options.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
  return { ...options, outbox, pdus: new PduCache(options.database), random, nextTxnId, signal };
}
