// What the parts that send work with. Built once, in dispatcher.ts.

import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import type { FederationClient } from '../../federation/api.ts';
import type { Logger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';
import type { Outbox } from '../edus/outbox.ts';
import type { Collapses } from './collapse.ts';
import type { FailureBatches } from './failure-batches.ts';
import type { PduCache } from './pdu-cache.ts';

export interface SendingContext {
  readonly database: Database;
  readonly clock: Clock;
  /** For what goes by real time, whatever clock a test has. */
  readonly timers: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly client: FederationClient;
  readonly outbox: Outbox;
  readonly pdus: PduCache;
  readonly failures: FailureBatches;
  readonly collapses: Collapses;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Never the same twice. */
  readonly nextTxnId: () => string;
  /** Aborted when sending ends. */
  readonly signal: AbortSignal;
}
