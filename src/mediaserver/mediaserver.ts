// The mediaserver, put together from its parts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaserverApi } from './api.ts';
import type { FetchRemote, MediaserverConfig, MediaserverContext } from './context.ts';
import { Downloads } from './downloads.ts';
import { MediaFolder } from './media-folder.ts';
import { removeOrphans } from './orphans.ts';
import { migrations } from './store/migrations.ts';
import { Thumbnails } from './thumbnails.ts';
import { UploadWaiters } from './upload-waiters.ts';
import { createUploads } from './uploads.ts';

export interface MediaserverOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly serverName: ServerName;
  readonly config: MediaserverConfig;
  /** Absent: there is no media but our own. */
  readonly fetchRemote?: FetchRemote;
}

export interface Mediaserver {
  readonly api: MediaserverApi;
  close(): Promise<void>;
}

export async function createMediaserver(options: MediaserverOptions): Promise<Mediaserver> {
  const { database, clock, logger, config } = options;
  await database.migrate('mediaserver', migrations);
  const folder = await MediaFolder.open(config.mediaPath);
  const context: MediaserverContext = {
    ...options,
    fetchRemote: options.fetchRemote,
    folder,
    waiters: new UploadWaiters(clock),
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const cleaning = removeOrphans({ folder, database, logger, signal }).catch((error) =>
    logger.warn({ err: error }, 'could not look for media files that nothing refers to'),
  );
  const close = async () => {
    stopping.abort();
    await cleaning;
  };
  return { api: createApi(context), close };
}

function createApi(context: MediaserverContext): MediaserverApi {
  const downloads = new Downloads(context);
  const thumbnails = new Thumbnails(context, downloads);
  return {
    ...createUploads(context),
    queryMedia: (request) => downloads.open(request),
    queryThumbnail: (request) => thumbnails.open(request),
    queryMediaConfig: async () => ({ 'm.upload.size': context.config.maxUploadBytes }),
  };
}
