// What every part of the mediaserver works with. Built once, in mediaserver.ts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { FederationClient } from '../federation/api.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaFolder } from './media-folder.ts';
import type { UploadWaiters } from './upload-waiters.ts';

export interface MediaserverConfig {
  /** Folder of the files; made when missing. */
  readonly mediaPath: string;
  readonly maxUploadBytes: number;
  /** Of all that is kept of other servers, bytes. */
  readonly maxRemoteBytes: number;
  /** Width times height, over all frames. Default 50 million. */
  readonly maxImagePixels?: number;
  /** Reservations that a user may have at once. Default 10. */
  readonly maxPendingUploads?: number;
  /** How long a reservation is good for, in ms. Default 24 hours. */
  readonly reservationLifetimeMs?: number;
}

/** Absent: there is no media but our own. */
export type RemoteSource = Pick<FederationClient, 'download'> | undefined;

export interface MediaserverContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: MediaserverConfig;
  readonly federation: RemoteSource;
  readonly folder: MediaFolder;
  readonly waiters: UploadWaiters;
}
