// What every part of the mediaserver works with. Built once, in mediaserver.ts.

import type { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaFolder } from './media-folder.ts';
import type { MediaKey } from './store/media.ts';
import type { UploadWaiters } from './upload-waiters.ts';

export interface MediaserverConfig {
  /** Folder of the files; made when missing. */
  readonly mediaPath: string;
  readonly maxUploadBytes: number;
  /** Width times height, over all frames. Default 50 million. */
  readonly maxImagePixels?: number;
  /** Reservations that a user may have at once. Default 10. */
  readonly maxPendingUploads?: number;
  /** How long a reservation is good for, in ms. Default 24 hours. */
  readonly reservationLifetimeMs?: number;
}

/** A file of another server, on its way. */
export interface RemoteMedia {
  readonly contentType: string;
  readonly fileName?: string;
  readonly body: Readable;
}

/** Fetches media from its server. Undefined when there is none; throws MatrixErrors. */
export type FetchRemote = (
  request: MediaKey & { readonly timeoutMs: number },
) => Promise<RemoteMedia | undefined>;

export interface MediaserverContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: MediaserverConfig;
  readonly fetchRemote: FetchRemote | undefined;
  readonly folder: MediaFolder;
  readonly waiters: UploadWaiters;
}
