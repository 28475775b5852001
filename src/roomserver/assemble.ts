// Puts the parts of the roomserver together over its tables.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { RoomId, ServerName } from '../protocol/identifiers.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type {
  HandshakeSender,
  PeekSender,
  RoomserverConfig,
  RoomserverContext,
} from './context.ts';
import { Events } from './events.ts';
import { Asker } from './fetching/asker.ts';
import { Backfills } from './fetching/backfills.ts';
import { createRemoteEvents } from './fetching/remote-events.ts';
import { type KeyRing, ownKeyRing, withOwnKey } from './input/key-ring.ts';
import { LackingMembers } from './input/lacking-members.ts';
import { type MissingEvents, noMissingEvents } from './input/missing-events.ts';
import { noRemoteRooms } from './membership/remote-rooms.ts';
import { noPeekSender } from './peeking/no-peek-sender.ts';
import { OutboundPeeks } from './peeking/outbound-peeks.ts';
import { AskingRooms } from './policy/asking-rooms.ts';
import { PolicyServers } from './policy/policy-servers.ts';
import { PurgeSweeper } from './purge/purge-sweeper.ts';
import { StagedWorker } from './receiving/staged-worker.ts';
import { createRemoteRooms } from './remote/remote-rooms.ts';
import { Turns } from './remote/turns.ts';
import { RoomQueue } from './rooms/room-queue.ts';
import { forgetOldTransactions } from './send/transactions.ts';
import { StateStore } from './state/state-store.ts';
import { selectLackingMembers } from './store/lacking-members.ts';
import { migrations } from './store/migrations.ts';
import { TransactionIds } from './store/transactions.ts';

export interface RoomserverOptions {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly config: RoomserverConfig;
  /** Other servers' keys; absent: only this server's own. */
  readonly keyRing?: KeyRing;
  /** For what is asked of other servers; absent: nothing can be. */
  readonly federation?: Pick<FederationClient, 'request'>;
  /** For tests. */
  readonly missingEvents?: MissingEvents;
  /** Absent: this server is alone. */
  readonly federationsender?: PeekSender & HandshakeSender;
}

export interface Assembly {
  readonly context: RoomserverContext;
  /** Finishes what has begun and refuses what comes. */
  close(): Promise<void>;
}

/** Applies the migrations. */
export async function assemble(options: RoomserverOptions): Promise<Assembly> {
  const { database, eventLog, clock, federationsender } = options;
  await database.migrate('roomserver', migrations);
  const events = new Events(database);
  const states = new StateStore(database);
  const now = () => clock.now();
  const onSwept = () => {
    events.forgetAll();
    states.forgetAll();
  };
  const purges = new PurgeSweeper({ ...options, onSwept });
  await purges.start();
  const isSweeping = (roomId: RoomId) => purges.isSweeping(roomId);
  const transactionIds = await TransactionIds.open(database);
  const queue = new RoomQueue({
    database,
    eventLog,
    events,
    states,
    now,
    transactionIds,
    isSweeping,
    onResidence: (roomId, isResident) => context.outboundPeeks.residenceChanged(roomId, isResident),
  });
  const asker = options.federation && new Asker(() => context, options.federation);
  const policyServers = new PolicyServers(() => context, options.federation);
  const rooms = new AskingRooms(queue, policyServers);
  const parts: Omit<RoomserverContext, 'outboundPeeks'> = {
    ...options,
    rooms,
    events,
    states,
    keyRing: options.keyRing ? withOwnKey(options, options.keyRing) : ownKeyRing(options),
    missingEvents:
      options.missingEvents ??
      (asker ? createRemoteEvents(() => context, asker, options.clock) : noMissingEvents),
    backfills: asker && new Backfills(() => context, asker),
    lackingMembers: new LackingMembers(await selectLackingMembers(database)),
    remoteRooms: federationsender
      ? createRemoteRooms(() => context, federationsender)
      : noRemoteRooms,
    purges,
    federationsender: options.federationsender ?? noPeekSender,
    turns: new Turns(),
    staged: new StagedWorker(() => context),
  };
  const context = withOutboundPeeks(parts);
  await context.outboundPeeks.open();
  const stop = forgetOldTransactions(context);
  await context.staged.start();
  return {
    context,
    close: async () => {
      stop();
      const { outboundPeeks, staged, backfills } = context;
      asker?.close();
      policyServers.close();
      await Promise.all([staged.close(), queue.close(), outboundPeeks.close(), backfills?.idle()]);
      await purges.close();
    },
  };
}

/** They work with the whole, of which they are a part. */
function withOutboundPeeks(parts: Omit<RoomserverContext, 'outboundPeeks'>): RoomserverContext {
  const context = { ...parts } as RoomserverContext & { outboundPeeks: OutboundPeeks };
  context.outboundPeeks = new OutboundPeeks(context);
  return context;
}
