// What every part of the federationsender works with. Built once, in federationsender.ts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { DestinationIds } from './destination-ids.ts';
import type { PassingEdus } from './edus/passing-edus.ts';
import type { TypingUsers } from './edus/typing-users.ts';
import type { InboundPeeks } from './inbound-peeks.ts';
import type { OutboundPeekKeeper } from './outbound-peeks/outbound-peeks.ts';
import type { Dispatcher } from './sending/dispatcher.ts';

export interface FederationsenderContext {
  readonly database: Database;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly client: FederationClient;
  readonly destinationIds: DestinationIds;
  readonly dispatcher: Dispatcher;
  readonly passing: PassingEdus;
  readonly typing: TypingUsers;
  readonly inboundPeeks: InboundPeeks;
  readonly outboundPeeks: OutboundPeekKeeper;
}
