// What the endpoints of the Server-Server API may use.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { KeyRing } from '../federation/api.ts';
import type { FederationsenderApi } from '../federationsender/api.ts';
import type { Logger } from '../logger.ts';
import type { MediaserverApi } from '../mediaserver/api.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { SigningKey } from '../protocol/signing-key.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { UserserverApi } from '../userserver/api.ts';
import type { CompatFields } from './peek-response.ts';

export interface FederationapiConfig {
  /** Where other servers reach this one: for `.well-known`; undefined: nothing is said of it. */
  readonly federationAddress: ServerName | undefined;
  /** Whether other servers are told of the published rooms. */
  readonly publicRoomsOverFederation: boolean;
  readonly peeking: {
    /** Granted to peeking servers, in ms. */
    readonly renewalIntervalMs: number;
    readonly compatFields: CompatFields;
  };
  /** That this server has given up, but whose signatures of their time hold. */
  readonly oldVerifyKeys: readonly {
    readonly keyId: string;
    readonly publicKey: string;
    /** ms since the epoch. */
    readonly expiredTs: number;
  }[];
}

export interface FederationapiContext {
  readonly roomserver: RoomserverApi;
  readonly userserver: UserserverApi;
  readonly mediaserver: MediaserverApi;
  readonly federationsender: Pick<
    FederationsenderApi,
    | 'noteServerAlive'
    | 'checkInboundPeekLimits'
    | 'queryInboundPeek'
    | 'noteExpiredPeeks'
    | 'waitForRooms'
  >;
  readonly keyRing: KeyRing;
  readonly eventLog: EventLog;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
  readonly config: FederationapiConfig;
  /** Of this program. */
  readonly version: string;
}
