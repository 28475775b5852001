// Finding media: our own, at once or when its upload has come, and that of other servers.

import { MatrixError } from '../protocol/error.ts';
import type { MediaFile, MediaserverApi } from './api.ts';
import type { MediaserverContext } from './context.ts';
import { RemoteMediaCache } from './remote-media.ts';
import { type MediaKey, type MediaRow, selectMedia } from './store/media.ts';
import { checkKey, unknownMedia } from './uploads.ts';

/** Media with a file. */
export interface FoundMedia {
  readonly key: MediaKey;
  readonly fileId: string;
  readonly contentType: string;
  readonly fileName: string | undefined;
}

export type MediaRequest = Parameters<MediaserverApi['queryMedia']>[0];

export class Downloads {
  readonly #context: MediaserverContext;
  readonly #remote: RemoteMediaCache;

  constructor(context: MediaserverContext) {
    this.#context = context;
    this.#remote = new RemoteMediaCache(context);
  }

  /** Throws M_NOT_FOUND, M_NOT_YET_UPLOADED. */
  async find(request: MediaRequest): Promise<FoundMedia> {
    const key = checkKey(request);
    const isLocal = key.serverName === this.#context.serverName;
    const row = isLocal
      ? await this.#findLocal(key, request.timeoutMs)
      : await this.#remote.find(key, request);
    if (row?.file_id == null) throw unknownMedia();
    return {
      key,
      fileId: row.file_id,
      contentType: row.content_type ?? 'application/octet-stream',
      fileName: row.file_name ?? undefined,
    };
  }

  /** Ends what is on its way from other servers. */
  close(): Promise<void> {
    return this.#remote.close();
  }

  async open(request: MediaRequest): Promise<MediaFile> {
    const { fileId, contentType, fileName } = await this.find(request);
    return this.openFile(fileId, { contentType, ...(fileName !== undefined && { fileName }) });
  }

  /** Throws M_NOT_FOUND when somebody has removed the file. */
  async openFile(
    fileId: string,
    description: Pick<MediaFile, 'contentType' | 'fileName'>,
  ): Promise<MediaFile> {
    const file = await this.#context.folder.openFile(fileId);
    if (file === undefined) {
      this.#context.logger.error({ fileId }, 'a media file is missing');
      throw unknownMedia();
    }
    return { ...description, ...file };
  }

  async #findLocal(key: MediaKey, timeoutMs: number): Promise<MediaRow | undefined> {
    const row = await selectMedia(this.#context.database, key);
    if (row === undefined || row.file_id !== null) return row;
    const { unused_expires_ts: expiresTs } = row;
    if (expiresTs !== null && expiresTs <= this.#context.clock.now()) return undefined;
    return this.#awaitUpload(key, timeoutMs);
  }

  async #awaitUpload(key: MediaKey, timeoutMs: number): Promise<MediaRow | undefined> {
    const { database, waiters } = this.#context;
    const waiter = waiters.wait(key.mediaId, timeoutMs);
    try {
      const row = await selectMedia(database, key);
      if (row?.file_id != null) return row;
      if (timeoutMs > 0 && (await waiter.uploaded)) return await selectMedia(database, key);
    } finally {
      waiter.stop();
    }
    throw new MatrixError('M_NOT_YET_UPLOADED', 'Media has not been uploaded yet');
  }
}
