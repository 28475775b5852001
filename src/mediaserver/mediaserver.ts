// The mediaserver, put together from its parts.

import type { Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { Logger } from '../logger.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaserverApi } from './api.ts';
import type { MediaserverConfig, MediaserverContext, RemoteSource } from './context.ts';
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
  readonly federation?: RemoteSource;
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
    federation: options.federation,
    folder,
    waiters: new UploadWaiters(clock),
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const cleaning = removeOrphans({ folder, database, logger, signal }).catch((error) =>
    logger.warn({ err: error }, 'could not look for media files that nothing refers to'),
  );
  const downloads = new Downloads(context);
  const close = async () => {
    stopping.abort();
    await Promise.all([cleaning, downloads.close()]);
  };
  return { api: createApi(context, downloads), close };
}

function createApi(context: MediaserverContext, downloads: Downloads): MediaserverApi {
  const thumbnails = new Thumbnails(context, downloads);
  return {
    ...createUploads(context),
    queryMedia: (request) => downloads.open(request),
    queryThumbnail: (request) => thumbnails.open(request),
    queryMediaConfig: async () => ({ 'm.upload.size': context.config.maxUploadBytes }),
  };
}
