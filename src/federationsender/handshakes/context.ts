// What handshakes with other servers work with.

import type { Clock } from '../../clock.ts';
import type { FederationClient } from '../../federation/api.ts';
import type { Logger } from '../../logger.ts';
import type { ServerName } from '../../protocol/identifiers.ts';

export interface HandshakeContext {
  readonly client: FederationClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
}
