// Media of other servers: fetched once, then kept like our own.

import type { MediaserverContext } from './context.ts';
import { insertUploaded, type MediaKey, type MediaRow, selectMedia } from './store/media.ts';

export class RemoteMediaCache {
  readonly #context: MediaserverContext;
  /** By URI, so that many who ask at once cost one request. */
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(context: MediaserverContext) {
    this.#context = context;
  }

  /** Undefined when it cannot be had. */
  async find(
    key: MediaKey,
    options: { readonly timeoutMs: number; readonly allowRemote: boolean },
  ): Promise<MediaRow | undefined> {
    const row = await selectMedia(this.#context.database, key);
    if (row !== undefined || !options.allowRemote) return row;
    const uri = `${key.serverName}/${key.mediaId}`;
    const fetching = this.#fetching.get(uri) ?? this.#fetch(key, options.timeoutMs);
    this.#fetching.set(uri, fetching);
    try {
      await fetching;
    } finally {
      if (this.#fetching.get(uri) === fetching) this.#fetching.delete(uri);
    }
    return selectMedia(this.#context.database, key);
  }

  async #fetch(key: MediaKey, timeoutMs: number): Promise<void> {
    const { fetchRemote, folder, database, config, clock } = this.#context;
    const media = await fetchRemote?.({ ...key, timeoutMs });
    if (media === undefined) return;
    const { body, contentType, fileName } = media;
    await folder.keep(body, config.maxUploadBytes, (file) =>
      database.transact((tx) => {
        const row = { ...file, contentType, fileName, userId: null, now: clock.now() };
        return insertUploaded(tx, key, row);
      }),
    );
  }
}
