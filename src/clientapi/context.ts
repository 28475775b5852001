// What every endpoint of the Client-Server API may use. The clientapi owns no data.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { EventLog } from '../eventlog/eventlog.ts';
import type { MediaserverApi } from '../mediaserver/api.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { RoomVersionId } from '../protocol/roomversions/room-version.ts';
import type { RoomserverApi } from '../roomserver/api.ts';
import type { SyncserverApi } from '../syncserver/api.ts';
import type { UserserverApi } from '../userserver/api.ts';
import type { Attendance } from './attendance.ts';
import type { NonceBook } from './shared-secret.ts';

export interface ClientapiConfig {
  /** Where clients reach this server, without a slash at the end: for `.well-known`. */
  readonly publicBaseurl: string;
  /** Of the policy server of this server's name, for `.well-known`; absent: there is none. */
  readonly policyServerPublicKey?: string;
  readonly registration: {
    readonly enabled: boolean;
    readonly allowGuests: boolean;
    /** Absent: nobody may register by shared secret. */
    readonly sharedSecret?: string;
  };
  readonly defaultRoomVersion: RoomVersionId;
  readonly publicRoomsWithoutAuth: boolean;
  /** Whether media is served to clients that do not sign in; the specification has frozen that. */
  readonly unauthenticatedMedia: boolean;
  /** Bytes. */
  readonly maxUploadBytes: number;
}

/** What the clientapi is made of. */
export interface ClientapiDependencies {
  readonly roomserver: RoomserverApi;
  readonly syncserver: SyncserverApi;
  readonly userserver: UserserverApi;
  readonly mediaserver: MediaserverApi;
  readonly eventLog: EventLog;
  /** For the units of work in which EDUs are appended to the log; nothing is kept of them here. */
  readonly database: Pick<Database, 'transact'>;
  readonly clock: Clock;
  readonly serverName: ServerName;
  readonly config: ClientapiConfig;
}

export interface ClientapiContext extends ClientapiDependencies {
  /** Of registration by shared secret. */
  readonly nonces: NonceBook;
  readonly attendance: Attendance;
}
