// Media of other servers: fetched once, then kept like our own. A fetch goes on when nobody waits for it any more.

import { LRUCache } from 'lru-cache';
import { ConcurrencyLimit } from '../concurrency-limit.ts';
import type { RemoteFile } from '../federation/api.ts';
import { entries } from '../lru-entries.ts';
import type { ServerName } from '../protocol/identifiers.ts';
import type { MediaserverContext } from './context.ts';
import type { KeptFile } from './media-folder.ts';
import { RemoteCacheLimit } from './remote-cache-limit.ts';
import { remoteFailure } from './remote-failure.ts';
import { insertUploaded, type MediaKey, type MediaRow, selectMedia } from './store/media.ts';

/** Fetches at once, from one server and from all. */
const LIMITS_OF_SERVER = { running: 4, waiting: 100 };
const LIMITS = { running: 100, waiting: 400 };
const MAX_SERVERS = 1000;

export class RemoteMediaCache {
  readonly #context: MediaserverContext;
  readonly #limit = new ConcurrencyLimit(LIMITS);
  readonly #limits = new LRUCache<ServerName, ConcurrencyLimit>(entries(MAX_SERVERS));
  readonly #cacheLimit: RemoteCacheLimit;
  readonly #closing = new AbortController();
  /** By URI, so that many who ask at once cost one request. */
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(context: MediaserverContext) {
    this.#context = context;
    this.#cacheLimit = new RemoteCacheLimit(context);
  }

  /** Undefined when it cannot be had. */
  async find(
    key: MediaKey,
    options: { readonly timeoutMs: number; readonly allowRemote: boolean },
  ): Promise<MediaRow | undefined> {
    const row = await selectMedia(this.#context.database, key);
    if (row !== undefined || !options.allowRemote) return row;
    await this.#fetchOnce(key, options.timeoutMs);
    return selectMedia(this.#context.database, key);
  }

  /** Ends what is being fetched. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the mediaserver closes'));
    await Promise.allSettled(this.#fetching.values());
  }

  async #fetchOnce(key: MediaKey, timeoutMs: number): Promise<void> {
    const uri = `${key.serverName}/${key.mediaId}`;
    let fetching = this.#fetching.get(uri);
    if (fetching === undefined) {
      fetching = this.#inTurn(key.serverName, () => this.#fetch(key, timeoutMs)).finally(() =>
        this.#fetching.delete(uri),
      );
      this.#fetching.set(uri, fetching);
    }
    await fetching;
  }

  /** Throws M_LIMIT_EXCEEDED when too many wait. */
  #inTurn(server: ServerName, fetch: () => Promise<void>): Promise<void> {
    const limit = this.#limits.get(server) ?? new ConcurrencyLimit(LIMITS_OF_SERVER);
    this.#limits.set(server, limit);
    return limit.run(() => this.#limit.run(fetch));
  }

  async #fetch(key: MediaKey, timeoutMs: number): Promise<void> {
    const { federation, config, database } = this.#context;
    if (federation === undefined) return;
    // It may have come while the turn was waited for.
    if ((await selectMedia(database, key)) !== undefined) return;
    const { serverName: destination, mediaId } = key;
    const limits = { timeoutMs, maxBytes: config.maxUploadBytes, signal: this.#closing.signal };
    try {
      await this.#keep(key, await federation.download({ destination, mediaId, ...limits }));
    } catch (error) {
      throw remoteFailure(error);
    }
  }

  async #keep(key: MediaKey, { body, contentType, fileName }: RemoteFile): Promise<void> {
    const { folder, database, config, clock } = this.#context;
    // Its own error says more than that of whoever reads it.
    let lost: unknown;
    body.once('error', (error) => {
      lost = error;
    });
    const type = contentType ?? 'application/octet-stream';
    const record = async (file: KeptFile) => {
      const row = { ...file, contentType: type, fileName, userId: null, now: clock.now() };
      await database.transact((tx) => insertUploaded(tx, key, row));
      return file.size;
    };
    try {
      const size = await folder.keep(body, config.maxUploadBytes, record);
      await this.#cacheLimit.add(size);
    } catch (error) {
      throw lost ?? error;
    }
  }
}
